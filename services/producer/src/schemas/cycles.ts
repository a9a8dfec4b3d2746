// Schemas that lead back to themselves for the same value: a check of such a value would never end (JSON Schema Core, section
// 9.4.1). A schema that refers to itself below a member or an item, as that of a tree, is none of them.
import { isObject, type SchemaDocument, type SchemaProblem } from "./schema-document.ts";
import { escapePointer, resolveUri, subschemas, withoutFragment } from "./walk.ts";

interface Node {
  readonly source: string;
  readonly pointer: string;
  readonly schema: Readonly<Record<string, unknown>>;
  readonly base: string;
}

/** Keywords whose subschemas apply to the same value. */
const ONE = ["not", "if", "then", "else"];
const LISTS = ["allOf", "anyOf", "oneOf"];
const MAPS = ["dependentSchemas", "dependencies"];

/** @param aliases further URIs of documents */
export function cycleProblems(
  documents: readonly SchemaDocument[],
  aliases: ReadonlyMap<string, SchemaDocument>,
): SchemaProblem[] {
  const nodes = new Map<unknown, Node>();
  const byUri = new Map<string, Node>();
  for (const { source, schema, uri } of documents) {
    /** Where each base URI begins in the document: pointers are relative to it, and to the document. */
    const roots = new Map([[withoutFragment(uri), ""]]);
    for (const { pointer, schema: subschema, base } of subschemas(schema, uri)) {
      const node = { source, pointer, schema: subschema, base };
      nodes.set(subschema, node);
      const resource = withoutFragment(base);
      if (!roots.has(resource)) roots.set(resource, pointer);
      byUri.set(`${withoutFragment(uri)}#${pointer}`, node);
      byUri.set(`${resource}#${pointer.slice(roots.get(resource)!.length)}`, node);
      for (const anchor of [subschema.$anchor, subschema.$dynamicAnchor])
        if (typeof anchor === "string") byUri.set(`${resource}#${anchor}`, node);
    }
  }

  function resolve({ base }: Node, reference: string): Node | undefined {
    const [resource = "", fragment = ""] = resolveUri(base, reference).split("#", 2);
    const target = aliases.get(resource)?.uri ?? resource;
    return byUri.get(`${target}#${decode(fragment)}`);
  }

  /** What also applies to a value that the schema applies to, with the place that says so. */
  function* appliedWith(node: Node): Generator<[pointer: string, next: Node | undefined]> {
    const { schema, pointer } = node;
    for (const keyword of ["$ref", "$dynamicRef"])
      if (typeof schema[keyword] === "string")
        yield [`${pointer}/${keyword}`, resolve(node, schema[keyword])];
    for (const keyword of ONE) yield [`${pointer}/${keyword}`, nodes.get(schema[keyword])];
    for (const keyword of [...LISTS, ...MAPS]) {
      const members = schema[keyword];
      if (!isObject(members) && !Array.isArray(members)) continue;
      for (const [name, member] of Object.entries(members))
        yield [`${pointer}/${keyword}/${escapePointer(name)}`, nodes.get(member)];
    }
  }

  const problems: SchemaProblem[] = [];
  const states = new Map<Node, "open" | "done">();
  function visit(node: Node): void {
    states.set(node, "open");
    for (const [pointer, next] of appliedWith(node)) {
      if (next === undefined) continue;
      const state = states.get(next);
      if (state === undefined) visit(next);
      else if (state === "open")
        problems.push({
          source: node.source,
          pointer,
          message: `leads back to ${next.source}${next.pointer} for the same value: a check would never end`,
        });
    }
    states.set(node, "done");
  }
  for (const node of nodes.values()) if (!states.has(node)) visit(node);
  return problems;
}

/** Of a pointer in a URI's fragment. */
function decode(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}
