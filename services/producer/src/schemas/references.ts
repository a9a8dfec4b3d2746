// References among the documents of a set: by `$id`, or by file name relative to the document. Nothing is ever fetched.
import { BASE_URI, type SchemaDocument, type SchemaProblem } from "./schema-document.ts";
import { resolveUri, subschemas, withoutFragment } from "./walk.ts";

export interface References {
  readonly problems: readonly SchemaProblem[];
  /** Further URIs of documents: file names, as resolved against the `$id` of documents that refer to them. */
  readonly aliases: ReadonlyMap<string, SchemaDocument>;
}

/** @param isBuiltIn is the URI that of a meta-schema? */
export function resolveReferences(
  documents: readonly SchemaDocument[],
  isBuiltIn: (uri: string) => boolean,
): References {
  const byUri = new Map(documents.map((document) => [document.uri, document]));
  const known = new Set(byUri.keys());
  for (const { schema, uri } of documents)
    for (const { base } of subschemas(schema, uri)) known.add(withoutFragment(base));

  const problems: SchemaProblem[] = [];
  const aliases = new Map<string, SchemaDocument>();
  for (const { source, schema, uri } of documents) {
    for (const { pointer, schema: subschema, base } of subschemas(schema, uri)) {
      for (const keyword of ["$ref", "$dynamicRef"] as const) {
        const reference = subschema[keyword];
        if (typeof reference !== "string") continue;
        const target = withoutFragment(resolveUri(base, reference));
        if (known.has(target) || isBuiltIn(target)) continue;
        const file = byUri.get(withoutFragment(resolveUri(BASE_URI, reference)));
        if (file !== undefined) aliases.set(target, file);
        else
          problems.push({
            source,
            pointer: `${pointer}/${keyword}`,
            message: `"${reference}" is neither a file beside it nor the $id of one, and nothing is fetched: add that schema`,
          });
      }
    }
  }
  return { problems, aliases };
}
