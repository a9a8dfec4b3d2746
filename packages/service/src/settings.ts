// Environment → one schema → every problem at once → a frozen, typed object.
import { type Static, type TObject, type TProperties, type TSchema, TypeGuard } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Env, SettingProblem } from "./environment.ts";
import { misspelledSetting } from "./nearest-name.ts";
import { redactUrls } from "./redact-urls.ts";
import { fileNames, readSecretFiles, toFileName } from "./secret-files.ts";
import { isSecretSetting, REDACTED } from "./secret-settings.ts";

/** All invalid settings of an environment. The message lists them, one per line. */
export class SettingsError extends Error {
  override name = "SettingsError";
  readonly problems: readonly SettingProblem[];

  constructor(problems: readonly SettingProblem[]) {
    const redacted = problems.map(redact);
    super(
      [
        problems.length === 1 ? "1 invalid setting:" : `${problems.length} invalid settings:`,
        ...redacted.map(
          (p) => `  ${p.name}${p.value === undefined ? "" : `=${JSON.stringify(p.value)}`}: ${p.message}`,
        ),
      ].join("\n"),
    );
    this.problems = redacted;
  }
}

/** A rule over several settings. @returns the problems that it finds */
export type SettingsRule<T> = (settings: T) => SettingProblem[];

/**
 * Reads settings from `env`, and from the files that its NAME_FILE variables name (`readSecretFiles`).
 * @param properties env name → TypeBox schema with `description` and, unless the setting is required, `default`; with
 * `accepts`, what the schema accepts in words, where the schema itself does not say it clearly
 * @param rules contradictions between settings; they run once each setting is valid by itself
 * @param mayBeMisspelled when given, a variable for which it returns true and whose name is close to that of a setting is a
 * problem: the setting would silently keep its default
 * @returns a frozen object with a member for each property
 * @throws SettingsError naming every problem at once
 */
export function parseSettings<P extends TProperties>(
  properties: P,
  env: Env,
  rules: readonly SettingsRule<Static<TObject<P>>>[] = [],
  mayBeMisspelled?: (name: string) => boolean,
): Readonly<Static<TObject<P>>> {
  const files = readSecretFiles(env, Object.keys(properties));
  const problems = [...files.problems];
  const unread = new Set(problems.map(({ name }) => name));
  const settings: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(properties)) {
    if (unread.has(toFileName(name))) continue;
    const given = files.env[name];
    // An empty variable is how compose files and shells write "not set".
    if (given === undefined || given === "") {
      if (schema.default !== undefined) settings[name] = schema.default;
      else if (!TypeGuard.IsOptional(schema))
        problems.push({ name, value: given, message: `is required: ${wordsFor(schema)}` });
      continue;
    }
    const value = fromText(given, schema);
    if (Value.Check(schema, value)) settings[name] = value;
    else problems.push({ name, value: given, message: `must be ${wordsFor(schema)}` });
  }
  if (mayBeMisspelled) problems.push(...misspelledSettings(properties, env, mayBeMisspelled));
  const parsed = Object.freeze(settings) as Static<TObject<P>>;
  if (problems.length === 0) for (const rule of rules) problems.push(...rule(parsed));
  if (problems.length > 0) throw new SettingsError(problems);
  return parsed;
}

function misspelledSettings(
  properties: TProperties,
  env: Env,
  mayBeMisspelled: (name: string) => boolean,
): SettingProblem[] {
  const known = Object.keys(properties);
  const names = new Set([...known, ...fileNames(known)]);
  const unset = [...names].filter((name) => !env[name]);
  const problems: SettingProblem[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (names.has(name) || value === undefined || value === "" || !mayBeMisspelled(name)) continue;
    const meant = misspelledSetting(name, unset);
    // The value is not shown: it may be a secret's.
    if (meant !== undefined)
      problems.push({ name, value: undefined, message: `is not a setting: did you mean ${meant}?` });
  }
  return problems;
}

function fromText(text: string, schema: TSchema): unknown {
  const trimmed = text.trim();
  if (schema.anyOf) {
    for (const option of schema.anyOf as TSchema[]) {
      const value = fromText(text, option);
      if (Value.Check(option, value)) return value;
    }
    return text;
  }
  switch (schema.type) {
    case "integer":
    case "number":
      return /^[+-]?\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : text;
    case "boolean":
      if (/^(true|1|yes|on)$/i.test(trimmed)) return true;
      if (/^(false|0|no|off)$/i.test(trimmed)) return false;
      return text;
    case "array":
      return trimmed.split(",").map((item) => item.trim());
    default:
      return text;
  }
}

/** What a schema accepts, in words: "an integer from 0 to 900000". */
function wordsFor(schema: TSchema): string {
  if (typeof schema.accepts === "string") return schema.accepts;
  if (schema.anyOf) return (schema.anyOf as TSchema[]).map(wordsFor).join(" or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const { minimum, maximum } = schema as { minimum?: number; maximum?: number };
  const range =
    (minimum === undefined ? "" : ` from ${minimum}`) + (maximum === undefined ? "" : ` to ${maximum}`);
  switch (schema.type) {
    case "integer":
      return `an integer${range}`;
    case "number":
      return `a number${range}`;
    case "boolean":
      return "true or false";
    case "array":
      return "a list separated by commas";
    default:
      return schema.pattern ? `text like ${schema.examples?.[0] ?? schema.pattern}` : "text";
  }
}

/** Errors end in logs, where no secret may be. */
function redact(problem: SettingProblem): SettingProblem {
  if (problem.value === undefined) return problem;
  // A URL that is malformed may not be found as one.
  const isSecret =
    isSecretSetting(problem.name) || (problem.name.endsWith("_URL") && !URL.canParse(problem.value));
  return { ...problem, value: isSecret ? REDACTED : redactUrls(problem.value) };
}
