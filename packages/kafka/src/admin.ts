// Admin requests: topics, offsets, groups.
import type {
  DeleteRecordsResult,
  GroupDescription,
  IAdminClient,
  KafkaConsumer,
  LibrdKafkaError,
} from "@confluentinc/kafka-javascript";
import { topicConfig } from "@ingest/kafka-native";
import { type ClientMetadata, connectClient, construct, disconnectClient, listen } from "./client.ts";
import { KafkaError, toKafkaError } from "./errors.ts";
import { librdkafkaProperties } from "./librdkafka-properties.ts";
import { queryMetadata, queryOffsets } from "./metadata.ts";
import type { ClientConfig } from "./records.ts";

export interface PartitionDescription {
  id: number;
  /** Broker id; -1 while there is none. */
  leader: number;
  replicas: number[];
  isrs: number[];
}

/** The first offset of the log, and the offset that the next record will get. */
export interface PartitionOffsets {
  partition: number;
  low: number;
  high: number;
}

export interface NewTopic {
  topic: string;
  partitions: number;
  replicationFactor: number;
  /** Kafka's topic settings, as `retention.ms`. */
  config?: Record<string, string>;
}

export interface GroupMembers {
  /** As `stable`, `empty`, `dead`, `preparing_rebalance`. */
  state: string;
  members: { clientId: string; host: string; partitions: { topic: string; partition: number }[] }[];
}

/** Each call ends within the admin's timeout, and fails with a KafkaError. */
export interface KafkaAdmin {
  /** Creates the topic when it is missing and waits until each of its partitions has a leader. */
  ensureTopic(topic: NewTopic): Promise<"created" | "exists">;
  /** @throws KafkaError `unknown_topic` */
  describeTopic(topic: string): Promise<{ partitions: PartitionDescription[] }>;
  /**
   * A topic's settings, its own and inherited ones, by Kafka's names.
   * @throws KafkaError `authorization` without the right to describe configurations
   */
  topicConfig(topic: string): Promise<ReadonlyMap<string, string>>;
  listTopics(): Promise<string[]>;
  /** @throws KafkaError `unknown_topic` */
  offsets(topic: string): Promise<PartitionOffsets[]>;
  deleteTopic(topic: string): Promise<void>;
  /** Deletes the records before the given offsets; -1 is the partition's end. */
  deleteRecords(topic: string, before: ReadonlyMap<number, number>): Promise<void>;
  /** A group's committed offsets for a topic. Partitions without one are left out. */
  groupOffsets(groupId: string, topic: string): Promise<{ partition: number; offset: number }[]>;
  describeGroup(groupId: string): Promise<GroupMembers>;
  /** The group must be empty. */
  deleteGroup(groupId: string): Promise<void>;
  close(): Promise<void>;
}

export interface AdminOptions {
  /** From `toClientConfig(settings, "admin")`. */
  config: ClientConfig;
  /** For connecting and for each call, ms. */
  timeoutMs?: number;
}

/**
 * Connects an admin client.
 * @throws KafkaError `broker_unavailable` or `timed_out` when no broker responds in time
 */
export async function createAdmin(options: AdminOptions): Promise<KafkaAdmin> {
  const config = adminConfig(options.config);
  const timeoutMs = options.timeoutMs ?? 10_000;
  // A consumer queries metadata: that never creates a topic, and every broker supports it. librdkafka requires a group.id
  // for it; no group is created.
  const metadataClient = construct(
    config,
    (client) => new client.KafkaConsumer({ ...config, "group.id": "admin" }, {}),
  );
  listen(metadataClient, {});
  const { brokers } = await connectClient(metadataClient, timeoutMs);
  const admin = construct(config, (client) => client.AdminClient.create(config));
  return new ConfluentAdmin(admin, metadataClient, brokers, config, timeoutMs);
}

/** The part of any client's configuration that an admin client accepts. */
function adminConfig(config: ClientConfig): ClientConfig {
  const shared = Object.entries(config).filter(([name]) => librdkafkaProperties[name]?.roles === "*");
  return { ...Object.fromEntries(shared), "statistics.interval.ms": 0 };
}

/** How long a broker on this machine may take to create a topic before it counts as a mock cluster. */
const MOCK_CREATE_TIMEOUT_MS = 3_000;

type Callback<T> = (error: LibrdKafkaError, result: T) => void;

/** As Confluent's `ConsumerGroupStates`, by number. */
const GROUP_STATES = ["unknown", "preparing_rebalance", "completing_rebalance", "stable", "dead", "empty"];

class ConfluentAdmin implements KafkaAdmin {
  constructor(
    private readonly admin: IAdminClient,
    private readonly metadataClient: KafkaConsumer,
    private readonly brokers: ClientMetadata["brokers"],
    private readonly config: ClientConfig,
    private readonly timeoutMs: number,
  ) {}

  async ensureTopic(topic: NewTopic): Promise<"created" | "exists"> {
    if (await this.#find(topic.topic)) return "exists";
    let outcome: "created" | "exists" = "created";
    try {
      await this.#createTopic(topic);
    } catch (error) {
      const { code } = toKafkaError(error);
      if (code === "topic_exists") outcome = "exists";
      else if (code === "timed_out" && this.#mayBeMock) await this.#createByMetadata(topic.topic);
      else throw error;
    }
    await this.#untilLed(topic.topic);
    return outcome;
  }

  #createTopic({ topic, partitions, replicationFactor, config }: NewTopic): Promise<void> {
    const request = {
      topic,
      num_partitions: partitions,
      replication_factor: replicationFactor,
      ...(config ? { config } : {}),
    };
    const timeoutMs = this.#mayBeMock ? Math.min(this.timeoutMs, MOCK_CREATE_TIMEOUT_MS) : this.timeoutMs;
    return call<void>((done) => this.admin.createTopic(request, timeoutMs, done as () => void));
  }

  /**
   * librdkafka's mock cluster names a controller that doesn't exist, so that requests to it time out, and creates topics
   * on their first metadata request. Its responses look like a broker's, but it always runs on this machine.
   */
  get #mayBeMock(): boolean {
    return this.brokers.every(({ host }) => host === "127.0.0.1");
  }

  /** A producer's metadata request creates the topic where the broker allows that. */
  async #createByMetadata(topic: string): Promise<void> {
    const producer = construct(this.config, ({ Producer }) => new Producer(this.config));
    await connectClient(producer, this.timeoutMs);
    try {
      await queryMetadata(producer, { topic }, this.timeoutMs);
    } finally {
      await disconnectClient(producer, this.timeoutMs);
    }
  }

  async #untilLed(topic: string): Promise<void> {
    const deadline = performance.now() + this.timeoutMs;
    for (;;) {
      const found = await this.#find(topic);
      if (found?.partitions.every(({ leader }) => leader >= 0)) return;
      if (performance.now() > deadline)
        throw new KafkaError(
          "timed_out",
          `Not all partitions of topic ${topic} have a leader after ${this.timeoutMs} ms`,
        );
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async #find(topic: string): Promise<{ partitions: PartitionDescription[] } | undefined> {
    try {
      return await this.describeTopic(topic);
    } catch (error) {
      if (toKafkaError(error).code === "unknown_topic") return undefined;
      throw error;
    }
  }

  async describeTopic(topic: string): Promise<{ partitions: PartitionDescription[] }> {
    const { topics } = await queryMetadata(this.metadataClient, { topic }, this.timeoutMs);
    const partitions = topics.find(({ name }) => name === topic)?.partitions ?? [];
    if (partitions.length === 0) throw new KafkaError("unknown_topic", `There is no topic ${topic}`);
    return {
      partitions: partitions
        .map(({ id, leader, replicas, isrs }) => ({ id, leader, replicas, isrs }))
        .sort((a, b) => a.id - b.id),
    };
  }

  topicConfig(topic: string): Promise<ReadonlyMap<string, string>> {
    return new Promise((resolve, reject) =>
      topicConfig(this.metadataClient, topic, this.timeoutMs, (code, settings) =>
        code === 0 ? resolve(settings) : reject(toKafkaError(code)),
      ),
    );
  }

  async listTopics(): Promise<string[]> {
    const { topics } = await queryMetadata(this.metadataClient, { allTopics: true }, this.timeoutMs);
    return topics.map(({ name }) => name).sort();
  }

  async offsets(topic: string): Promise<PartitionOffsets[]> {
    const { partitions } = await this.describeTopic(topic);
    return Promise.all(
      partitions.map(async ({ id }) => ({
        partition: id,
        ...(await queryOffsets(this.metadataClient, topic, id, this.timeoutMs)),
      })),
    );
  }

  deleteTopic(topic: string): Promise<void> {
    return call<void>((done) => this.admin.deleteTopic(topic, this.timeoutMs, done as () => void));
  }

  async deleteRecords(topic: string, before: ReadonlyMap<number, number>): Promise<void> {
    const list = [...before].map(([partition, offset]) => ({ topic, partition, offset }));
    const options = { timeout: this.timeoutMs, operationTimeout: this.timeoutMs };
    throwFirst(await call<DeleteRecordsResult[]>((done) => this.admin.deleteRecords(list, options, done)));
  }

  /**
   * Queried as a member of the group, without joining it. The admin request for it would crash the process when a broker
   * responds that it isn't the coordinator, as brokers do for some moments after a start: librdkafka 2.15.1 then uses a
   * group handle that an admin client doesn't have.
   */
  async groupOffsets(groupId: string, topic: string): Promise<{ partition: number; offset: number }[]> {
    const { partitions } = await this.describeTopic(topic);
    const list = partitions.map(({ id }) => ({ topic, partition: id }));
    const config = { ...this.config, "group.id": groupId };
    const member = construct(config, (client) => new client.KafkaConsumer(config, {}));
    listen(member, {});
    await connectClient(member, this.timeoutMs);
    try {
      const found = await this.#untilCoordinated(() =>
        call<{ partition: number; offset?: number }[]>((done) =>
          member.committed(list, this.timeoutMs, done as Callback<unknown>),
        ),
      );
      return found
        .map(({ partition, offset }) => ({ partition, offset: offset ?? -1 }))
        .filter(({ offset }) => offset >= 0)
        .sort((a, b) => a.partition - b.partition);
    } finally {
      await disconnectClient(member, this.timeoutMs);
    }
  }

  /** Retries while the group's coordinator is moving or starting. */
  async #untilCoordinated<T>(ask: () => Promise<T>): Promise<T> {
    const deadline = performance.now() + this.timeoutMs;
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (toKafkaError(error).code !== "broker_unavailable" || performance.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  async describeGroup(groupId: string): Promise<GroupMembers> {
    const { groups } = await call<{ groups: GroupDescription[] }>((done) =>
      this.admin.describeGroups([groupId], { timeout: this.timeoutMs }, done),
    );
    const group = groups[0];
    if (group?.error) throw toKafkaError(group.error);
    return {
      state: GROUP_STATES[group?.state ?? 0] ?? "unknown",
      members: (group?.members ?? []).map(({ clientId, clientHost, assignment }) => ({
        clientId,
        host: clientHost,
        partitions: (assignment?.topicPartitions ?? []).map(({ topic, partition }) => ({ topic, partition })),
      })),
    };
  }

  async deleteGroup(groupId: string): Promise<void> {
    const results = await call<{ error?: LibrdKafkaError }[]>((done) =>
      this.admin.deleteGroups([groupId], { timeout: this.timeoutMs }, done),
    );
    throwFirst(results);
  }

  async close(): Promise<void> {
    try {
      this.admin.disconnect();
    } catch {
      // Already closed.
    }
    await disconnectClient(this.metadataClient, this.timeoutMs);
  }
}

/** A callback-style call as a promise that rejects with a KafkaError. */
function call<T>(start: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    try {
      start((error, result) => (error ? reject(toKafkaError(error)) : resolve(result)));
    } catch (thrown) {
      reject(toKafkaError(thrown));
    }
  });
}

/** Throws the first error among results. */
function throwFirst(results: readonly { error?: LibrdKafkaError }[]): void {
  for (const { error } of results) if (error && error.code !== 0) throw toKafkaError(error);
}
