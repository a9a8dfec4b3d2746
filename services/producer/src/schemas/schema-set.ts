// The schemas in use: by event type, and by version.
import type { CompiledSchema } from "./compiled-schema.ts";

interface Versions {
  readonly newest: CompiledSchema;
  readonly byVersion: ReadonlyMap<number, CompiledSchema>;
}

export class SchemaSet {
  readonly #types: ReadonlyMap<string, Versions>;

  /** Of schemas with the same type and version, the first one counts. */
  constructor(schemas: readonly CompiledSchema[]) {
    const byType = Map.groupBy(schemas, ({ name }) => name.type);
    this.#types = new Map([...byType].map(([type, versions]) => [type, toVersions(versions)]));
  }

  /** @param version absent: the newest */
  find(type: string, version?: number): CompiledSchema | "unknown type" | "unknown version" {
    const versions = this.#types.get(type);
    if (versions === undefined) return "unknown type";
    if (version === undefined) return versions.newest;
    return versions.byVersion.get(version) ?? "unknown version";
  }

  /** The versions of a type, ascending; empty when it is unknown. */
  versionsOf(type: string): number[] {
    return [...(this.#types.get(type)?.byVersion.keys() ?? [])].sort((a, b) => a - b);
  }

  get types(): string[] {
    return [...this.#types.keys()].sort();
  }

  /** The number of schemas. */
  get size(): number {
    let size = 0;
    for (const { byVersion } of this.#types.values()) size += byVersion.size;
    return size;
  }
}

function toVersions(schemas: readonly CompiledSchema[]): Versions {
  const byVersion = new Map<number, CompiledSchema>();
  let newest = schemas[0]!;
  for (const schema of schemas) {
    const { version } = schema.name;
    if (!byVersion.has(version)) byVersion.set(version, schema);
    if (version > newest.name.version) newest = schema;
  }
  return { newest, byVersion };
}
