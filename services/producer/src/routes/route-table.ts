// Which topic an event goes to, by its type.
import type { NewTopic } from "@ingest/kafka";
import type { EventCheck } from "../events/event-check.ts";
import type { RouteEntry } from "./file-schema.ts";

/** What ROUTES_FILE contains. */
export class Routes {
  readonly #exact = new Map<string, string>();
  /** The longest prefix first. */
  readonly #prefixes: (readonly [prefix: string, topic: string])[] = [];
  readonly #byTopic = new Map<string, RouteEntry>();

  /** @param text the file */
  constructor(
    readonly entries: readonly RouteEntry[],
    readonly text: string,
  ) {
    for (const entry of entries) {
      this.#byTopic.set(entry.topic, entry);
      for (const type of entry.event_types)
        if (type.endsWith("*")) this.#prefixes.push([type.slice(0, -1), entry.topic]);
        else this.#exact.set(type, entry.topic);
    }
    this.#prefixes.sort(([a], [b]) => b.length - a.length);
  }

  /** The topic of events of a type; undefined: KAFKA_TOPIC. */
  topicOf(type: string): string | undefined {
    const exact = this.#exact.get(type);
    if (exact !== undefined) return exact;
    for (const [prefix, topic] of this.#prefixes) if (type.startsWith(prefix)) return topic;
    return undefined;
  }

  hasTopic(topic: string): boolean {
    return this.#byTopic.has(topic);
  }

  /** How to create a topic: what its route says, and the defaults for the rest. */
  toNewTopic(topic: string, defaults: Pick<NewTopic, "partitions" | "replicationFactor">): NewTopic {
    const entry = this.#byTopic.get(topic);
    if (entry === undefined) return { topic, ...defaults };
    const { partitions, replication_factor: replicationFactor, retention_ms: retentionMs } = entry;
    const config = {
      ...(retentionMs !== undefined && { "retention.ms": String(retentionMs) }),
      ...(entry.cleanup_policy !== undefined && { "cleanup.policy": entry.cleanup_policy }),
    };
    return {
      topic,
      partitions: partitions ?? defaults.partitions,
      replicationFactor: replicationFactor ?? defaults.replicationFactor,
      ...(Object.keys(config).length > 0 && { config }),
    };
  }

  /** librdkafka's settings for the producer of a topic, where they differ from those of the others. */
  producerConfig(topic: string): Record<string, string> | undefined {
    const compression = this.#byTopic.get(topic)?.compression;
    return compression === undefined ? undefined : { "compression.type": compression };
  }
}

/** Gives events the topic of their route. @param routes those in use at the time of the event */
export function routeCheck(routes: () => Routes): () => EventCheck {
  return () =>
    (event, { event_type: type }) => {
      const topic = routes().topicOf(type);
      return topic === undefined ? event : { ...event, topic };
    };
}
