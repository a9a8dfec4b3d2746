// The context attributes of a CloudEvent, and what they may be (CloudEvents 1.0, "Context Attributes" and "Type System").
import { isLongerThan, kindOf } from "../check.ts";
import { isDateTime } from "../date-time.ts";
import { MAX_EVENT_ID_LENGTH, MAX_EVENT_TYPE_LENGTH, MAX_USER_ID_LENGTH } from "../event.ts";
import type { ProblemError } from "../problem.ts";

/** By name. Booleans and numbers are those of extensions in the JSON format; bindings have their text. */
export type CloudEventAttributes = ReadonlyMap<string, unknown>;

const SPEC_VERSION = "1.0";
export const requiredAttributes = ["specversion", "id", "source", "type"] as const;
/** In addition to the CloudEvents specification: the limits of an event's members, in Unicode code points. */
const maxLengths: Readonly<Record<string, number>> = {
  id: MAX_EVENT_ID_LENGTH,
  type: MAX_EVENT_TYPE_LENGTH,
  partitionkey: MAX_USER_ID_LENGTH,
};
const INT32 = 2 ** 31;

const NAME = /^[a-z0-9]+$/;
/** Control characters and noncharacters of Unicode. */
const DISALLOWED = /[\p{Cc}\p{Noncharacter_Code_Point}]/u;
/**
 * Of a URI-reference (RFC 3986), or of an IRI (RFC 3987): SDKs that don't encode the percent signs of header values send a
 * URI whose encoded characters come out decoded. Its structure is left to its readers.
 */
const URI_CHARACTERS = /^(?:[A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=\u{a0}-\u{10ffff}]|%[0-9A-Fa-f]{2})+$/u;
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/;
const MEDIA_TYPE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]*(?:;[\t -~]*)?$/;

/** Why these aren't the attributes of a CloudEvent 1.0; empty when they are. Pointers are the names after a slash. */
export function attributeProblems(attributes: CloudEventAttributes): ProblemError[] {
  const version = attributes.get("specversion");
  // Another version has other attributes, so that no other problem would help.
  if (version !== undefined && version !== SPEC_VERSION)
    return [toProblem("specversion", `is ${toShort(version)}, which is not supported: send ${SPEC_VERSION}`)];
  const problems = requiredAttributes
    .filter((name) => !attributes.has(name))
    .map((name) => toProblem(name, "is required"));
  for (const [name, value] of attributes) {
    const message = problemOf(name, value);
    if (message !== undefined) problems.push(toProblem(name, message));
  }
  return problems;
}

function problemOf(name: string, value: unknown): string | undefined {
  if (!NAME.test(name) || name === "data")
    return "is not the name of an attribute: names consist of the letters a to z and digits";
  if (typeof value !== "string")
    return isCore(name) ? `must be a string, got ${kindOf(value)}` : extensionProblem(value);
  if (value === "" && (isCore(name) || name === "partitionkey")) return "must not be empty";
  const max = maxLengths[name];
  if (max !== undefined && isLongerThan(value, max)) return `is longer than ${max} characters`;
  if (!value.isWellFormed() || DISALLOWED.test(value))
    return "must not contain control characters, noncharacters or lone surrogates";
  switch (name) {
    case "source":
      return URI_CHARACTERS.test(value) ? undefined : "must be a URI-reference (RFC 3986)";
    case "dataschema":
      return URI_CHARACTERS.test(value) && SCHEME.test(value)
        ? undefined
        : "must be an absolute URI (RFC 3986)";
    case "time":
      return isDateTime(value) ? undefined : "must be an RFC 3339 date-time on an existing day";
    case "datacontenttype":
      return MEDIA_TYPE.test(value) ? undefined : "must be a media type, such as application/json";
    default:
      return undefined;
  }
}

function extensionProblem(value: unknown): string | undefined {
  if (typeof value === "boolean") return undefined;
  const isInt32 = Number.isInteger(value) && Number(value) >= -INT32 && Number(value) < INT32;
  return isInt32 ? undefined : `must be a string, a boolean or a 32-bit integer, got ${kindOf(value)}`;
}

const CORE: ReadonlySet<string> = new Set([
  ...requiredAttributes,
  "datacontenttype",
  "dataschema",
  "subject",
  "time",
]);

function isCore(name: string): boolean {
  return CORE.has(name);
}

function toProblem(name: string, message: string): ProblemError {
  return { pointer: `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`, message };
}

function toShort(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 32)) : kindOf(value);
}
