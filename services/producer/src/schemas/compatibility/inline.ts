// A schema with its references replaced by what they refer to. Where a reference leads to one that is being replaced,
// only a mark is left.
import { isObject, type SchemaDocument } from "../schema-document.ts";
import { resolveUri, subschemas, withoutFragment } from "../walk.ts";

export type PlainSchema = boolean | Record<string, unknown>;

/** Marks where a schema contains itself; the value is the URI of the part. */
export const RECURSION = "x-recursion";
/** Their values are data, and may contain a `$ref` that is none. */
const DATA = new Set(["const", "default", "enum", "examples"]);

export function inlineReferences(document: SchemaDocument, all: readonly SchemaDocument[]): PlainSchema {
  const byUri = new Map<string, unknown>();
  for (const { schema, uri } of all) {
    byUri.set(uri, schema);
    for (const { schema: subschema, base, pointer } of subschemas(schema, uri)) {
      if (pointer === "" || typeof subschema.$id === "string") byUri.set(withoutFragment(base), subschema);
      if (typeof subschema.$anchor === "string")
        byUri.set(`${withoutFragment(base)}#${subschema.$anchor}`, subschema);
    }
  }
  const target = (reference: string, base: string): { schema: unknown; base: string } => {
    const uri = resolveUri(base, reference);
    const [file, fragment = ""] = uri.split("#", 2) as [string, string?];
    const root = byUri.get(file) ?? byUri.get(withoutFragment(resolveUri(document.uri, reference)));
    const schema =
      fragment === "" || fragment.startsWith("/") ? at(root, decodeURIComponent(fragment)) : byUri.get(uri);
    return { schema, base: file };
  };
  const inline = (value: unknown, base: string, within: readonly string[]): unknown => {
    if (Array.isArray(value)) return value.map((member) => inline(member, base, within));
    if (!isObject(value)) return value;
    const ownBase = typeof value.$id === "string" ? resolveUri(base, value.$id) : base;
    const { $ref: reference, $id: _id, $defs: _defs, $schema: _schema, ...rest } = value;
    const own = Object.fromEntries(
      Object.entries(rest).map(([name, member]) => [
        name,
        DATA.has(name) ? member : inline(member, ownBase, within),
      ]),
    );
    if (typeof reference !== "string") return own;
    const uri = resolveUri(ownBase, reference);
    if (within.includes(uri)) return { ...own, [RECURSION]: uri };
    const found = target(reference, ownBase);
    const referred = inline(found.schema ?? {}, found.base, [...within, uri]);
    if (Object.keys(own).length === 0) return referred;
    return { ...own, allOf: [...(Array.isArray(own.allOf) ? own.allOf : []), referred] };
  };
  return inline(document.schema, document.uri, [`${document.uri}#`, document.uri]) as PlainSchema;
}

/** The value at a JSON pointer; undefined when there is none. */
function at(root: unknown, pointer: string): unknown {
  let value = root;
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
