// A Confluent Schema Registry as a source: all subjects at the start, then new versions at each refresh. What was read
// once is kept, for versions never change.
import type { Client, SchemaMetadata } from "@confluentinc/schemaregistry";
import type { Log } from "@ingest/service";
import { type BackoffSettings, backoffMs, pause } from "@ingest/wait";
import { compileLeniently } from "./compile.ts";
import type { CompiledSchema } from "./compiled-schema.ts";
import {
  BASE_URI,
  type JsonSchema,
  type SchemaDocument,
  SchemaError,
  type SchemaName,
} from "./schema-document.ts";
import type { SchemaListener, SchemaSource } from "./source.ts";
import { resolveUri } from "./walk.ts";

export type RegistryClient = Pick<
  Client,
  "getAllSubjects" | "getAllVersions" | "getSchemaMetadata" | "close"
>;

export interface RegistrySourceOptions {
  /** The registry's address, without credentials. */
  name: string;
  client: RegistryClient;
  log: Log;
  /** What the subjects of event types begin with. */
  subjectPrefix: string;
  refreshMs: number;
  /** Whether an unavailable registry at the start is waited for. */
  waits: boolean;
}

const BACKOFF: BackoffSettings = { firstMs: 250, maxMs: 10_000 };
/** Deeper references are taken for a cycle. */
const MAX_REFERENCES = 100;

export class RegistrySource implements SchemaSource {
  readonly name: string;
  readonly #options: RegistrySourceOptions;
  readonly #stopping = new AbortController();
  /** By subject and version; undefined for what is no usable JSON Schema. */
  readonly #known = new Map<string, CompiledSchema | undefined>();
  #running: Promise<void> = Promise.resolve();

  constructor(options: RegistrySourceOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async start(listener: SchemaListener): Promise<void> {
    const { waits, log } = this.#options;
    const { signal } = this.#stopping;
    for (let failures = 1; ; failures++) {
      try {
        await this.#read(listener);
        break;
      } catch (error) {
        if (!waits || signal.aborted) throw error;
        if (failures === 1)
          log.warn(
            { source: this.name, reason: (error as Error).message },
            "schema registry unavailable: waiting for it",
          );
        await pause(backoffMs(failures, BACKOFF), signal);
      }
    }
    this.#running = this.#refresh(listener, signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.#options.client.close();
  }

  async #refresh(listener: SchemaListener, signal: AbortSignal): Promise<void> {
    for (;;) {
      await pause(this.#options.refreshMs, signal);
      if (signal.aborted) return;
      await this.#read(listener).catch((error) => {
        if (!signal.aborted) listener.onFailure(error);
      });
    }
  }

  /** Reports the schemas when there are others than before. */
  async #read(listener: SchemaListener): Promise<void> {
    const { client, subjectPrefix } = this.#options;
    const subjects = (await client.getAllSubjects()).filter(
      (subject) => subject.startsWith(subjectPrefix) && subject.length > subjectPrefix.length,
    );
    const found = new Map<string, CompiledSchema | undefined>();
    for (const subject of subjects) {
      const type = subject.slice(subjectPrefix.length);
      for (const version of await client.getAllVersions(encodeURIComponent(subject))) {
        const key = `${version} ${subject}`;
        if (!this.#known.has(key))
          this.#known.set(key, await this.#compile(subject, { type, version }, listener));
        found.set(key, this.#known.get(key));
      }
    }
    const isFirst = this.#reported === undefined;
    const keys = [...found.keys()].sort().join("\n");
    if (!isFirst && keys === this.#reported) return;
    this.#reported = keys;
    listener.onSchemas([...found.values()].filter((schema) => schema !== undefined));
  }
  #reported: string | undefined;

  /** One that cannot be used is reported and left out: subjects belong to different teams. */
  async #compile(
    subject: string,
    name: SchemaName,
    listener: SchemaListener,
  ): Promise<CompiledSchema | undefined> {
    const { client } = this.#options;
    const metadata = await client.getSchemaMetadata(subject, name.version, false);
    if (metadata.schemaType !== "JSON") return undefined;
    try {
      const uri = BASE_URI + encodeURIComponent(`${subject}@${name.version}`);
      const documents = await this.#withReferences(metadata, `${subject}@${name.version}`, uri);
      const [first, ...others] = documents;
      const registryId = metadata.id === undefined ? {} : { registryId: metadata.id };
      return compileLeniently([{ ...first!, name, ...registryId }, ...others])[0];
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      listener.onFailure(error);
      return undefined;
    }
  }

  /** The document and all that it refers to, which the registry names. */
  async #withReferences(metadata: SchemaMetadata, source: string, uri: string): Promise<SchemaDocument[]> {
    const documents: SchemaDocument[] = [];
    const queue = [{ metadata, source, uri }];
    const seen = new Set<string>([uri]);
    for (
      let next = queue.shift();
      next !== undefined && documents.length < MAX_REFERENCES;
      next = queue.shift()
    ) {
      documents.push(toDocument(next.metadata, next.source, next.uri));
      for (const { name, subject, version } of next.metadata.references ?? []) {
        const target = resolveUri(next.uri, name);
        if (seen.has(target)) continue;
        seen.add(target);
        const referred = await this.#options.client.getSchemaMetadata(subject, version, false);
        queue.push({ metadata: referred, source: `${subject}@${version}`, uri: target });
      }
    }
    return documents;
  }
}

function toDocument({ schema }: SchemaMetadata, source: string, uri: string): SchemaDocument {
  try {
    return { source, uri, schema: JSON.parse(schema) as JsonSchema, name: undefined, describes: "event" };
  } catch (error) {
    throw new SchemaError([{ source, pointer: "", message: (error as Error).message }]);
  }
}
