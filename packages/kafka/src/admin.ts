// Asking and arranging: topics, offsets, groups.
import type {
  DeleteRecordsResult,
  GroupDescription,
  IAdminClient,
  KafkaConsumer,
  LibrdKafkaError,
} from "@confluentinc/kafka-javascript";
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

/** First offset that is there, and the one that the next record will get. */
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
  /** Makes the topic when it is missing and waits until each of its partitions has a leader. */
  ensureTopic(topic: NewTopic): Promise<"created" | "exists">;
  /** @throws KafkaError `unknown_topic` */
  describeTopic(topic: string): Promise<{ partitions: PartitionDescription[] }>;
  listTopics(): Promise<string[]>;
  /** @throws KafkaError `unknown_topic` */
  offsets(topic: string): Promise<PartitionOffsets[]>;
  deleteTopic(topic: string): Promise<void>;
  /** Deletes the records before the given offsets; -1 is the partition's end. */
  deleteRecords(topic: string, before: ReadonlyMap<number, number>): Promise<void>;
  /** What a group has committed for a topic: the next offsets it will read. Partitions without one are left out. */
  groupOffsets(groupId: string, topic: string): Promise<{ partition: number; offset: number }[]>;
  describeGroup(groupId: string): Promise<GroupMembers>;
  /** The group must be empty. */
  deleteGroup(groupId: string): Promise<void>;
  close(): Promise<void>;
}

export interface AdminOptions {
  /** From `toClientConfig(settings, "admin")`. */
  config: ClientConfig;
  /** For each call, and for the first answer of a broker. */
  timeoutMs?: number;
}

/**
 * Connects an admin client.
 * @throws KafkaError `broker_unavailable` or `timed_out` when no broker answers in time
 */
export async function createAdmin(options: AdminOptions): Promise<KafkaAdmin> {
  const config = adminConfig(options.config);
  const timeoutMs = options.timeoutMs ?? 10_000;
  // Metadata is asked for by a consumer: that never brings a topic into being, and every broker answers it.
  // librdkafka wants a group's name for it; no group comes of that.
  const asker = construct(
    config,
    (client) => new client.KafkaConsumer({ ...config, "group.id": "admin" }, {}),
  );
  listen(asker, {});
  const { brokers } = await connectClient(asker, timeoutMs);
  const admin = construct(config, (client) => client.AdminClient.create(config));
  return new ConfluentAdmin(admin, asker, brokers, config, timeoutMs);
}

/** What is left of a configuration for an admin client, whichever kind of client it was made for. */
function adminConfig(config: ClientConfig): ClientConfig {
  const shared = Object.entries(config).filter(([name]) => librdkafkaProperties[name]?.roles === "*");
  return { ...Object.fromEntries(shared), "statistics.interval.ms": 0 };
}

/** How long a broker on this machine may take to make a topic before it is taken for a mock cluster. */
const MOCK_CREATE_TIMEOUT_MS = 3_000;

type Callback<T> = (error: LibrdKafkaError, result: T) => void;

/** As Confluent's `ConsumerGroupStates`, by number. */
const GROUP_STATES = ["unknown", "preparing_rebalance", "completing_rebalance", "stable", "dead", "empty"];

class ConfluentAdmin implements KafkaAdmin {
  constructor(
    private readonly admin: IAdminClient,
    private readonly asker: KafkaConsumer,
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
      else if (code === "timed_out" && this.#mayBeMock) await this.#mention(topic.topic);
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
   * librdkafka's mock cluster names a controller that isn't there, so that requests to it time out, and makes topics
   * when they are first asked for. Nothing in its answers tells it from a broker, but it is always on this machine.
   */
  get #mayBeMock(): boolean {
    return this.brokers.every(({ host }) => host === "127.0.0.1");
  }

  /** A producer that asks for a topic brings it into being where the broker allows that. */
  async #mention(topic: string): Promise<void> {
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
        throw new KafkaError("timed_out", `Topic ${topic} has no leaders after ${this.timeoutMs} ms`);
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
    const { topics } = await queryMetadata(this.asker, { topic }, this.timeoutMs);
    const partitions = topics.find(({ name }) => name === topic)?.partitions ?? [];
    if (partitions.length === 0) throw new KafkaError("unknown_topic", `There is no topic ${topic}`);
    return {
      partitions: partitions
        .map(({ id, leader, replicas, isrs }) => ({ id, leader, replicas, isrs }))
        .sort((a, b) => a.id - b.id),
    };
  }

  async listTopics(): Promise<string[]> {
    const { topics } = await queryMetadata(this.asker, { allTopics: true }, this.timeoutMs);
    return topics.map(({ name }) => name).sort();
  }

  async offsets(topic: string): Promise<PartitionOffsets[]> {
    const { partitions } = await this.describeTopic(topic);
    return Promise.all(
      partitions.map(async ({ id }) => ({
        partition: id,
        ...(await queryOffsets(this.asker, topic, id, this.timeoutMs)),
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
   * Asked as a member of the group would, without joining it: the admin request for the same thing ends the process
   * when the coordinator answers that it isn't one (librdkafka 2.15.1 passes that to a group handle that an admin client
   * hasn't got), which coordinators do for some moments after a start.
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

  /** A group's coordinator that has just moved or started says so for some moments. */
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
      // It was closed already.
    }
    await disconnectClient(this.asker, this.timeoutMs);
  }
}

/** A call of the callback kind as a promise that fails with a KafkaError. */
function call<T>(start: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    try {
      start((error, result) => (error ? reject(toKafkaError(error)) : resolve(result)));
    } catch (thrown) {
      reject(toKafkaError(thrown));
    }
  });
}

/** Answers that carry an error each: the first one counts. */
function throwFirst(results: readonly { error?: LibrdKafkaError }[]): void {
  for (const { error } of results) if (error && error.code !== 0) throw toKafkaError(error);
}
