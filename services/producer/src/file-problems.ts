// The problems of a file of settings in JSON, all at once, each with its place.
import { type SettingProblem, SettingsError } from "@ingest/service";
import type { Static, TSchema } from "@sinclair/typebox";
import { type ValueError, ValueErrorType } from "@sinclair/typebox/compiler";
import { Value } from "@sinclair/typebox/value";
import { readTextFile } from "./text-file.ts";

/** One problem of the file: the member's JSON pointer (RFC 6901; `""` is the file itself), and what to change. */
export interface FileProblem {
  readonly pointer: string;
  readonly message: string;
}

/** Every problem of a file. */
export class FileProblems {
  constructor(readonly problems: readonly FileProblem[]) {}
}

/**
 * @param path the setting's value
 * @returns undefined when the setting is absent
 * @throws SettingsError naming every problem of the file
 */
export function readSettingsFile<T>(
  name: string,
  path: string | undefined,
  parse: (text: string) => T | FileProblems,
): T | undefined {
  if (path === undefined) return undefined;
  const problem = (message: string): SettingProblem => ({ name, value: path, message });
  let text: string;
  try {
    text = readTextFile(path);
  } catch (error) {
    throw new SettingsError([problem((error as Error).message)]);
  }
  const contents = parse(text);
  if (contents instanceof FileProblems)
    throw new SettingsError(
      contents.problems.map(({ pointer, message }) => problem(`${pointer || "the file"} ${message}`)),
    );
  return contents;
}

/** @returns what the file contains, or every way in which it isn't what the schema describes */
export function parseJsonFile<T extends TSchema>(schema: T, text: string): Static<T> | FileProblems {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return new FileProblems([{ pointer: "", message: `is not JSON: ${(error as Error).message}` }]);
  }
  return Value.Check(schema, value) ? value : new FileProblems(schemaProblems(schema, value));
}

/** The first error of each member is the clearest one: "required" comes before the errors of `undefined`. */
function schemaProblems(schema: TSchema, value: unknown): FileProblem[] {
  const messages = new Map<string, string>();
  for (const error of Value.Errors(schema, value))
    if (!messages.has(error.path)) messages.set(error.path, messageFor(error));
  return [...messages].map(([pointer, message]) => ({ pointer, message }));
}

function messageFor({ type, schema, message, value }: ValueError): string {
  switch (type) {
    case ValueErrorType.ObjectRequiredProperty:
      return "is required";
    case ValueErrorType.ObjectAdditionalProperties:
      return "is not a member that is known here";
    case ValueErrorType.ArrayMinItems:
      return "must not be empty: leave it out, or list at least one";
    case ValueErrorType.ArrayUniqueItems:
      return "lists something twice";
    case ValueErrorType.StringFormat:
      return "must be an RFC 3339 date-time, such as 2027-01-31T00:00:00Z";
    case ValueErrorType.StringPattern:
      return schema.title ?? `must match ${schema.pattern}`;
    case ValueErrorType.Union:
      return `must be one of ${schema.anyOf.map((choice: { const: string }) => choice.const).join(", ")}`;
    case ValueErrorType.IntegerMaximum:
      return `must not be more than ${schema.maximum}, got ${JSON.stringify(value)}`;
    case ValueErrorType.IntegerMinimum:
    case ValueErrorType.Integer:
      return `must be an integer from ${schema.minimum}, got ${JSON.stringify(value)}`;
    default:
      return message.charAt(0).toLowerCase() + message.slice(1);
  }
}
