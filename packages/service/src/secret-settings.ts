// Which settings are secret: the one rule for error messages, log lines and the documentation.

const SECRET_WORDS = new Set([
  "PASSWORD",
  "PASSPHRASE",
  "SECRET",
  "SECRETS",
  "TOKEN",
  "TOKENS",
  "CREDENTIALS",
  "KEY",
  "KEYS",
]);
/** Last words of names whose settings hold a secret's location, kind or size, and not the secret. */
const PUBLIC_ENDINGS = new Set([
  "LOCATION",
  "FILE",
  "PATH",
  "DIR",
  "URL",
  "ID",
  "TYPE",
  "MS",
  "BYTES",
  "ALGORITHM",
]);
/** Settings that hold a path in spite of their names. */
const PATHS = new Set(["TLS_KEY"]);

/** Stands in for a secret. */
export const REDACTED = "…";

/**
 * Whether a setting's value is secret. The words of its name decide. So the rule also covers names that are in no table:
 * librdkafka has some 150 more properties, and names can be mistyped.
 */
export function isSecretSetting(name: string): boolean {
  const words = name.toUpperCase().split("_");
  if (PUBLIC_ENDINGS.has(words.at(-1)!) || PATHS.has(name)) return false;
  // A list of name=value pairs of any kind; librdkafka's example has a principal's claims.
  if (name.endsWith("OAUTHBEARER_CONFIG")) return true;
  return words.some((word) => SECRET_WORDS.has(word));
}
