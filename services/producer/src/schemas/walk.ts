// The subschemas of a JSON Schema (draft 2020-12, and what remains of earlier drafts), by the keywords that hold them.
import { isObject } from "./schema-document.ts";

const SCHEMA_KEYWORDS = new Set([
  "additionalProperties",
  "contains",
  "contentSchema",
  "else",
  "if",
  "items",
  "not",
  "propertyNames",
  "then",
  "unevaluatedItems",
  "unevaluatedProperties",
]);
const LIST_KEYWORDS = new Set(["allOf", "anyOf", "oneOf", "prefixItems"]);
const MAP_KEYWORDS = new Set(["$defs", "definitions", "dependentSchemas", "patternProperties", "properties"]);

export interface Subschema {
  /** JSON pointer into the document. */
  readonly pointer: string;
  readonly schema: Readonly<Record<string, unknown>>;
  /** The URI that its references are relative to. */
  readonly base: string;
}

/** The document and all of its subschemas, without boolean ones. @param base the document's URI */
export function* subschemas(schema: unknown, base: string, pointer = ""): Generator<Subschema> {
  if (!isObject(schema)) return;
  const ownBase = typeof schema.$id === "string" ? resolveUri(base, schema.$id) : base;
  yield { pointer, schema, base: ownBase };
  for (const [keyword, value] of Object.entries(schema)) {
    const at = `${pointer}/${escapePointer(keyword)}`;
    if (SCHEMA_KEYWORDS.has(keyword)) yield* subschemas(value, ownBase, at);
    else if (LIST_KEYWORDS.has(keyword) && Array.isArray(value))
      for (const [index, member] of value.entries()) yield* subschemas(member, ownBase, `${at}/${index}`);
    else if (MAP_KEYWORDS.has(keyword) && isObject(value))
      for (const [name, member] of Object.entries(value))
        yield* subschemas(member, ownBase, `${at}/${escapePointer(name)}`);
  }
}

/** RFC 3986, section 5.2. A reference that cannot be resolved stays as it is. */
export function resolveUri(base: string, reference: string): string {
  return URL.parse(reference, base)?.href ?? reference;
}

export function withoutFragment(uri: string): string {
  const hash = uri.indexOf("#");
  return hash === -1 ? uri : uri.slice(0, hash);
}

/** A member name as a part of a JSON pointer (RFC 6901, section 3). */
export function escapePointer(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}
