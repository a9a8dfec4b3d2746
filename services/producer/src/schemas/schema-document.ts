// A JSON Schema as a source delivers it, and what can be wrong with one.

/** A parsed JSON Schema: an object, or `true` or `false`. */
export type JsonSchema = boolean | Readonly<Record<string, unknown>>;

/** What a schema is for; a schema without a name only serves the references of others. */
export interface SchemaName {
  readonly type: string;
  /** From 1. */
  readonly version: number;
}

export interface SchemaDocument {
  /** Names the document in messages: its file, or its subject and version. */
  readonly source: string;
  /** What other documents may refer to it by, beside its `$id`. */
  readonly uri: string;
  readonly schema: JsonSchema;
  readonly name: SchemaName | undefined;
  /** What it describes: the payload of its events, or the whole event as it is in the record. */
  readonly describes: "payload" | "event";
  /** Its id in the schema registry, where it comes from there. */
  readonly registryId?: number;
}

/** Documents refer to each other relative to this, where they have no `$id`. */
export const BASE_URI = "schemas:/";

/** One reason why a set of schemas is not used. */
export interface SchemaProblem {
  readonly source: string;
  /** JSON pointer into the document; `""` is the document itself. */
  readonly pointer: string;
  /** What is wrong, and what to change. */
  readonly message: string;
}

/** Schemas that cannot be used: all of their problems, one per line. */
export class SchemaError extends Error {
  override name = "SchemaError";

  constructor(readonly problems: readonly SchemaProblem[]) {
    super(problems.map(({ source, pointer, message }) => `${source}${pointer}: ${message}`).join("\n"));
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
