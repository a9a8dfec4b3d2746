// Schemas by event type, when SCHEMA_MODE is not off. Otherwise nothing is loaded: neither schemas nor Ajv.
import type { EventInput } from "@ingest/contract";
import { type Log, redactUrls } from "@ingest/service";
import type { EncodedEvent } from "../delivery/index.ts";
import type { CompiledSchema } from "./compiled-schema.ts";
import { SchemaCheck } from "./schema-check.ts";
import { SchemaError } from "./schema-document.ts";
import { SchemaSet } from "./schema-set.ts";
import type { SchemaSettings } from "./settings.ts";
import type { SchemaSource } from "./source.ts";

export class EventSchemas {
  readonly check: SchemaCheck;
  /** Attempts to load schemas by result. Counters: they only grow. */
  readonly loads = { loaded: 0, failed: 0 };
  /** In this order: of two schemas of the same type and version the first counts. */
  readonly #sources: readonly SchemaSource[];
  readonly #schemas = new Map<SchemaSource, readonly CompiledSchema[]>();
  readonly #log: Log;

  constructor(sources: readonly SchemaSource[], check: SchemaCheck, log: Log) {
    this.#sources = sources;
    this.check = check;
    this.#log = log;
  }

  /** The check of every request's events, whoever sends them. */
  readonly toCheck = () => (event: EncodedEvent, input: EventInput) => this.check.check(event, input);

  /** @throws when a source has no usable schemas */
  async start(): Promise<void> {
    for (const source of this.#sources)
      await source.start({
        onSchemas: (schemas) => this.#onSchemas(source, schemas),
        onFailure: (error) => this.#onFailure(source, error),
      });
  }

  async stop(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.stop()));
  }

  #onSchemas(source: SchemaSource, schemas: readonly CompiledSchema[]): void {
    this.#schemas.set(source, schemas);
    this.check.set = new SchemaSet(this.#sources.flatMap((other) => this.#schemas.get(other) ?? []));
    this.loads.loaded++;
    this.#log.info({ source: source.name, schemas: schemas.length }, "schemas loaded");
  }

  #onFailure(source: SchemaSource, error: unknown): void {
    this.loads.failed++;
    const problems = error instanceof SchemaError ? error.problems : [{ message: (error as Error).message }];
    this.#log.error({ source: source.name, problems }, "schemas not loaded: the former ones stay in use");
  }
}

/**
 * @param topic KAFKA_TOPIC
 * @param watchIntervalMs how often the folder is looked at
 * @returns undefined when SCHEMA_MODE is off
 */
export async function createEventSchemas(
  settings: SchemaSettings,
  topic: string,
  log: Log,
  watchIntervalMs?: number,
): Promise<EventSchemas | undefined> {
  const { SCHEMA_MODE: mode, SCHEMA_DIR: folder, SCHEMA_REGISTRY_URL: url } = settings;
  if (mode === "off") return undefined;
  const sources: SchemaSource[] = [];
  if (folder !== undefined) {
    const { FolderSource } = await import("./folder-source.ts");
    sources.push(new FolderSource(folder, watchIntervalMs));
  }
  if (url !== undefined) sources.push(await createRegistrySource(url, settings, topic, log));
  const check = new SchemaCheck({
    mode,
    rejectsUnknownTypes: settings.SCHEMA_UNKNOWN_TYPES === "reject",
    hasWireFormat: settings.SCHEMA_WIRE_FORMAT,
    log,
  });
  return new EventSchemas(sources, check, log);
}

async function createRegistrySource(
  url: string,
  settings: SchemaSettings,
  topic: string,
  log: Log,
): Promise<SchemaSource> {
  const { RegistrySource } = await import("./registry-source.ts");
  const { createRegistryClient } = await import("./registry-client.ts");
  return new RegistrySource({
    name: redactUrls(url),
    client: createRegistryClient(url, settings.SCHEMA_REGISTRY_USER, settings.SCHEMA_REGISTRY_PASSWORD),
    log,
    subjectPrefix: settings.SCHEMA_REGISTRY_SUBJECT_STRATEGY === "record" ? "" : `${topic}-`,
    refreshMs: settings.SCHEMA_REGISTRY_REFRESH_MS,
    waits: settings.SCHEMA_REGISTRY_START === "wait",
  });
}
