// Validates events: one compiled check on the hot path, and error messages for invalid events only.
//
// JSON Schema's `maxLength` counts Unicode code points. The compiled check counts UTF-16 units, of which a code point has one
// or two: it never accepts a string that is too long, and what it rejects is counted again by code points.
import type { TSchema } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler, type ValueError, ValueErrorType } from "@sinclair/typebox/compiler";
import { EventInput, StoredEvent } from "./event.ts";
import type { ProblemError } from "./problem.ts";

const input = TypeCompiler.Compile(EventInput);
const stored = TypeCompiler.Compile(StoredEvent);

/** A response lists at most this many problems. */
const MAX_PROBLEMS = 20;

/** Is `value` an event as a caller may send it? */
export function isEventInput(value: unknown): value is EventInput {
  return input.Check(value) || isValidInCodePoints(input, value);
}

/** Is `value` an event as it is stored in the topic? */
export function isStoredEvent(value: unknown): value is StoredEvent {
  return stored.Check(value) || isValidInCodePoints(stored, value);
}

function isValidInCodePoints(check: TypeCheck<TSchema>, value: unknown): boolean {
  for (const error of check.Errors(value)) if (!isWithinCodePoints(error)) return false;
  return true;
}

/** Is the error's string too long in UTF-16 units alone? */
function isWithinCodePoints({ type, schema, value }: ValueError): boolean {
  return (
    type === ValueErrorType.StringMaxLength && !isLongerThan(value as string, schema.maxLength as number)
  );
}

/** Has the text more than `max` code points? A surrogate without its other half counts as one. */
export function isLongerThan(text: string, max: number): boolean {
  if (text.length <= max) return false;
  if (text.length > max * 2) return true;
  let codePoints = 0;
  for (const _ of text) codePoints++;
  return codePoints > max;
}

/** Why `value` is not an event a caller may send; empty when it is one. */
export function eventProblems(value: unknown): ProblemError[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [{ pointer: "", message: `expected a JSON object, got ${kindOf(value)}` }];
  }
  const found = new Map<string, string>();
  for (const error of input.Errors(value)) {
    if (found.size >= MAX_PROBLEMS) break;
    if (isWithinCodePoints(error)) continue;
    // The first error of a member is the clearest one: "required" comes before the errors of `undefined`.
    if (!found.has(error.path)) found.set(error.path, messageFor(error));
  }
  return [...found].map(([pointer, message]) => ({ pointer, message }));
}

function messageFor(error: ValueError): string {
  const { schema } = error;
  switch (error.type) {
    case ValueErrorType.ObjectRequiredProperty:
      return "is required";
    case ValueErrorType.ObjectAdditionalProperties:
      return `is not a member of an event; known members: ${Object.keys(EventInput.properties).join(", ")}`;
    case ValueErrorType.StringMinLength:
      return "must not be empty";
    case ValueErrorType.StringMaxLength:
      return `is longer than ${schema.maxLength} characters`;
    case ValueErrorType.String:
      return `must be a string, got ${kindOf(error.value)}`;
    case ValueErrorType.Integer:
    case ValueErrorType.IntegerMinimum:
    case ValueErrorType.IntegerMaximum:
      return `must be an integer from ${schema.minimum}`;
    case ValueErrorType.Object:
      return `must be an object, got ${kindOf(error.value)}`;
    case ValueErrorType.Union:
      return "must be an RFC 3339 date-time on an existing day, or Unix milliseconds (an integer from 0)";
    default:
      return error.message;
  }
}

/** The JSON type of a value, for messages. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
