// Ajv's errors → the problems of a response: a pointer into the event, and a sentence.

import type { ProblemError } from "@ingest/contract";
import type { ErrorObject } from "ajv";
import { escapePointer } from "./walk.ts";

/** A response lists at most this many problems. */
const MAX_PROBLEMS = 20;
/** Of what a message lists from the schema, in characters. */
const MAX_LISTED_LENGTH = 200;

/** @param root the JSON pointer of the validated value in the event */
export function toProblemErrors(errors: readonly ErrorObject[], root: string): ProblemError[] {
  const found = new Map<string, ProblemError>();
  for (const error of errors) {
    // It says that a `then` or `else` failed, whose own errors are listed too.
    if (error.keyword === "if" && errors.length > 1) continue;
    const problem = { pointer: root + placeOf(error), message: messageOf(error) };
    found.set(`${problem.pointer} ${problem.message}`, problem);
    if (found.size === MAX_PROBLEMS) break;
  }
  return [...found.values()];
}

/** The member that is wrong; where it is missing, the one that is missing. */
function placeOf({ instancePath, keyword, params }: ErrorObject): string {
  const name: unknown =
    keyword === "propertyNames"
      ? params.propertyName
      : (params.missingProperty ?? params.additionalProperty ?? params.unevaluatedProperty);
  return typeof name === "string" ? `${instancePath}/${escapePointer(name)}` : instancePath;
}

function messageOf({ keyword, params, message }: ErrorObject): string {
  switch (keyword) {
    case "required":
      return "is required";
    case "dependentRequired":
    case "dependencies":
      return `is required with ${params.property}`;
    case "additionalProperties":
    case "unevaluatedProperties":
      return "is not a member that the schema allows";
    case "propertyNames":
      return "has a name that the schema does not allow";
    case "false schema":
      return "is not allowed";
    case "enum":
      return `must be one of ${listed((params.allowedValues as unknown[]).map((value) => JSON.stringify(value)).join(", "))}`;
    case "const":
      return `must be ${listed(JSON.stringify(params.allowedValue))}`;
    case "type":
      return `must be of type ${[params.type].flat().join(" or ")}`;
    default:
      return message ?? `does not match ${keyword}`;
  }
}

function listed(text: string): string {
  return text.length <= MAX_LISTED_LENGTH ? text : `${text.slice(0, MAX_LISTED_LENGTH)}…`;
}
