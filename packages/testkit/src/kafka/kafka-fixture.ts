// A test file's part of a Kafka cluster: topics of its own, records written to them and read from them.
import { alterTopicConfig, sharedBroker } from "@ingest/broker";
import {
  type ClientConfig,
  type ConsumedRecord,
  createAdmin,
  createProducer,
  type KafkaAdmin,
  type ProducerRecord,
  producerSettings,
  readTopic,
  toClientConfig,
} from "@ingest/kafka";
import { parseSettings } from "@ingest/service";

const CONNECT_WITHIN_MS = 30_000;

/** Deletes its topics when disposed of. */
export class KafkaFixture implements AsyncDisposable {
  /** The setting that leads a service to this cluster. */
  readonly env: Record<string, string>;
  readonly #topics: string[] = [];

  private constructor(
    readonly bootstrapServers: string,
    readonly admin: KafkaAdmin,
    readonly replicationFactor: number,
  ) {
    this.env = { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers };
  }

  /** @param options.replicationFactor of its topics; 1 by default */
  static async connect(
    bootstrapServers: string,
    options: { replicationFactor?: number } = {},
  ): Promise<KafkaFixture> {
    const config = { "bootstrap.servers": bootstrapServers };
    const admin = await createAdmin({ config, timeoutMs: CONNECT_WITHIN_MS });
    return new KafkaFixture(bootstrapServers, admin, options.replicationFactor ?? 1);
  }

  /** On the broker that all tests share. */
  static async shared(): Promise<KafkaFixture> {
    return KafkaFixture.connect((await sharedBroker()).bootstrapServers);
  }

  /** A client's configuration as a service would have it. @param env settings beside the cluster's address */
  config(env: Record<string, string> = {}): ClientConfig {
    return toClientConfig(parseSettings(producerSettings, { ...this.env, ...env }), "producer");
  }

  /** A name for a topic that something else creates. */
  topicName(): string {
    const topic = `test-${crypto.randomUUID()}`;
    this.#topics.push(topic, `${topic}.dead-letter`);
    return topic;
  }

  /** @param config the topic's own settings, by Kafka's names */
  async createTopic(partitions: number, config?: Record<string, string>): Promise<string> {
    const topic = this.topicName();
    const { replicationFactor } = this;
    await this.admin.ensureTopic({ topic, partitions, replicationFactor, ...(config ? { config } : {}) });
    return topic;
  }

  /** Sets a topic's settings, by Kafka's names; `null` restores a default. */
  async setTopicConfig(topic: string, config: Readonly<Record<string, string | null>>): Promise<void> {
    const port = Number(this.bootstrapServers.split(",")[0]!.split(":")[1]);
    await alterTopicConfig(port, topic, config);
  }

  /** A topic, and the settings of consumers that read it in a group of their own. */
  async createTopicAndGroup(partitions: number): Promise<{ topic: string; env: Record<string, string> }> {
    // A test's records may be of any age; the broker deletes records by their timestamps.
    const topic = await this.createTopic(partitions, { "retention.ms": "-1" });
    return { topic, env: { ...this.env, KAFKA_TOPIC: topic, KAFKA_GROUP_ID: `group-${topic}` } };
  }

  /** Resolves once all records are stored. @param env settings of the producer @throws the error of a record that is not */
  async write(records: readonly ProducerRecord[], env: Record<string, string> = {}): Promise<void> {
    let failure: Error | undefined;
    const producer = createProducer({
      config: this.config(env),
      onOutcome(error) {
        if (error) failure = error;
      },
    });
    await producer.connect(CONNECT_WITHIN_MS);
    for (const record of records) while (producer.produce(record) === "full") await Bun.sleep(1);
    await producer.close(CONNECT_WITHIN_MS);
    if (failure) throw failure;
  }

  /** All records of a topic. */
  async read(topic: string): Promise<ConsumedRecord[]> {
    const records: ConsumedRecord[] = [];
    for await (const batch of readTopic({ config: this.config(), topic })) records.push(...batch);
    return records;
  }

  /** The ids of a topic's events, in the order in which the partitions have them. */
  async readEventIds(topic: string): Promise<string[]> {
    const records = await this.read(topic);
    return records.map(({ value }) => (JSON.parse(value!.toString()) as { event_id: string }).event_id);
  }

  /** How many records a topic has. */
  async countRecords(topic: string): Promise<number> {
    return (await this.admin.offsets(topic)).reduce((sum, { low, high }) => sum + high - low, 0);
  }

  /** The offsets that a consumer's group has committed, summed over the partitions of its topic. */
  async committed(env: Readonly<Record<string, string>>): Promise<number> {
    const offsets = await this.admin.groupOffsets(env.KAFKA_GROUP_ID!, env.KAFKA_TOPIC!);
    return offsets.reduce((sum, { offset }) => sum + offset, 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Topics that nothing created cannot be deleted.
    await Promise.all(this.#topics.map((topic) => this.admin.deleteTopic(topic).catch(() => undefined)));
    await this.admin.close();
  }
}
