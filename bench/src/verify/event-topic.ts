// The topic as --verify reads it. Only this file uses Kafka.
import type { VerifyOptions } from "../options.ts";

/** Next offset by partition. */
export type Offsets = Map<number, number>;

export interface TopicRecord {
  readonly partition: number;
  readonly offset: number;
  readonly value: Uint8Array | null;
}

export interface EventTopic {
  /** The end offset of each partition. */
  ends(): Promise<Offsets>;
  /** The records from `from` (inclusive) to `to` (exclusive). A partition that is not in `from` is read from its start. */
  read(from: Offsets, to: Offsets): AsyncIterable<readonly TopicRecord[]>;
  close(): Promise<void>;
}

/** The topic can't be read, so what it contains is unknown. */
export class TopicUnreachableError extends Error {
  override name = "TopicUnreachableError";
}

/**
 * Connects to Kafka. The native client is only loaded here: sending needs Bun alone.
 * @throws TopicUnreachableError with what to do about it
 */
export async function openEventTopic({ topic, env }: VerifyOptions): Promise<EventTopic> {
  const servers = env.KAFKA_BOOTSTRAP_SERVERS || "localhost:9092";
  const explain = (thrown: unknown): never => {
    const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown));
    // Errors about settings and about the addon already contain advice.
    const advice =
      name === "KafkaError"
        ? "\nName Kafka with --bootstrap-servers (or KAFKA_BOOTSTRAP_SERVERS) and the topic with --topic (or KAFKA_TOPIC)."
        : "";
    throw new TopicUnreachableError(
      `--verify can't read topic "${topic}" at ${servers}: ${message}${advice}\nWithout --verify the bench needs no Kafka.`,
      { cause: thrown },
    );
  };
  const kafka = await import("@ingest/kafka").catch(explain);
  const { parseSettings } = await import("@ingest/service");
  const toConfig = (role: "consumer" | "admin") => {
    const settings = role === "consumer" ? kafka.consumerSettings : kafka.clientSettings;
    return kafka.toClientConfig(parseSettings(settings, env), role, env);
  };
  const admin = await Promise.try(() => kafka.createAdmin({ config: toConfig("admin") })).catch(explain);
  const ends = async (): Promise<Offsets> =>
    new Map((await admin.offsets(topic)).map(({ partition, high }) => [partition, high]));
  try {
    await ends();
  } catch (thrown) {
    await admin.close();
    return explain(thrown);
  }
  return {
    ends,
    read: (from, to) => kafka.readTopic({ config: toConfig("consumer"), topic, from, to }),
    close: () => admin.close(),
  };
}
