// How deep an event may be nested. Parsers take any depth; what walks over the value later recurses, or takes seconds.
import { Type } from "@sinclair/typebox";

/** A setting of producer and consumer. */
export const jsonDepthSettings = {
  MAX_JSON_DEPTH: Type.Integer({
    default: 128,
    minimum: 2,
    maximum: 1_000,
    description:
      "Levels of objects and arrays in an event, the event itself included. Beyond it: the producer responds 422, the consumer makes a dead letter.",
  }),
};

/**
 * Whether objects and arrays in a parsed JSON value are nested deeper than this; the value itself is the first level.
 * A walk over the value costs a fraction of a scan of its text, and ends at `maxDepth`.
 */
export function isNestedDeeper(value: unknown, maxDepth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (maxDepth === 0) return true;
  if (Array.isArray(value)) {
    for (const element of value) if (isNestedDeeper(element, maxDepth - 1)) return true;
    return false;
  }
  for (const name in value) {
    const member = (value as Record<string, unknown>)[name];
    if (typeof member === "object" && isNestedDeeper(member, maxDepth - 1)) return true;
  }
  return false;
}
