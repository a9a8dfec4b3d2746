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
/** A setting whose name ends so tells where a secret is or how large it may be, and is none itself. */
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

/** Stands in for a secret. */
export const REDACTED = "…";

/**
 * Is a setting's value secret? Decided by the words of its name, so that also names which no table holds (librdkafka has
 * some 150 more properties, and names can be mistyped) are covered, and no table can forget one.
 */
export function isSecretSetting(name: string): boolean {
  const words = name.toUpperCase().split("_");
  if (PUBLIC_ENDINGS.has(words.at(-1)!)) return false;
  // A free list of name=value pairs, where librdkafka's example has a principal's claims.
  if (name.endsWith("OAUTHBEARER_CONFIG")) return true;
  return words.some((word) => SECRET_WORDS.has(word));
}
