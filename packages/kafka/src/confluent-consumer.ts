// The consumer on Confluent's KafkaConsumer.
import type { KafkaConsumer as ConfluentKafkaConsumer } from "@confluentinc/kafka-javascript";
import { settlesWithin } from "@ingest/wait";
import { connectClient, construct, disconnectClient, listen } from "./client.ts";
import type { ConsumerOptions, KafkaConsumer, OnRecords, TopicDescription, Watermarks } from "./consumer.ts";
import { ConsumerAdmin } from "./consumer-admin.ts";
import { Rebalancer, type RebalancingClient } from "./consumer-rebalance.ts";
import { KafkaError, toKafkaError } from "./errors.ts";
import {
  type ClientConfig,
  type ClientMessage,
  type CommittedOffset,
  type ConsumedRecord,
  type TopicPartition,
  type TopicPartitionOffset,
  toConsumedRecord,
} from "./records.ts";
import { SerialQueue } from "./serial-queue.ts";
import { type ConsumerStatistics, toConsumerStatistics } from "./statistics.ts";

/** Creates a consumer without connecting it. @throws KafkaError `unsupported` or `invalid_config` */
export function createConsumer(options: ConsumerOptions): KafkaConsumer {
  return new ConfluentConsumer(options);
}

/** The addon's own `consume`, without the event that Confluent's wrapper emits for each record. */
interface NativeConsumer {
  consume(
    timeoutMs: number,
    maxRecords: number,
    timeoutOnlyForFirst: boolean,
    done: (error: unknown, messages: ClientMessage[], ends: TopicPartitionOffset[]) => void,
  ): void;
}

/** With the methods that Confluent's type declarations omit. */
type Client = ConfluentKafkaConsumer & RebalancingClient;

const ALL_BROKERS_DOWN = -187;

export class ConfluentConsumer implements KafkaConsumer {
  readonly #options: ConsumerOptions;
  /** Confluent's consumer, for the offsets of a transaction. Not for use outside this package. */
  readonly client: Client;
  readonly #rebalancer: Rebalancer;
  readonly #admin: ConsumerAdmin;
  /** Serialises fetches with everything that must not happen during one, such as a change of the assignment. */
  readonly #fetches = new SerialQueue();
  readonly #commits = new SerialQueue();
  #native: NativeConsumer | undefined;
  #closing: Promise<boolean> | undefined;
  #isUp = false;
  #statistics: ConsumerStatistics | undefined;
  /** Set when the client's queue becomes non-empty. */
  #hasMore = false;
  #wake: (() => void) | undefined;
  /** Completes the commit in progress. */
  #onCommitted: ((error: unknown) => void) | undefined;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    const config = {
      ...options.config,
      rebalance_cb: (error: { code: number } | undefined, partitions: TopicPartition[]) =>
        this.#rebalancer.onRebalance(error?.code ?? 0, partitions),
      // The only report of a commit's outcome: Confluent's commitCb is called when the commit has been requested.
      offset_commit_cb: (error: unknown) => this.#onCommitted?.(error),
      // Confluent's promisified consumer uses this callback too; their types omit it.
      queue_non_empty_cb: () => this.#onQueueNonEmpty(),
    };
    // Without a topic configuration: an empty one would override ours with librdkafka's defaults.
    type Constructor = new (config: ClientConfig) => Client;
    this.client = construct(
      config,
      ({ KafkaConsumer }) => new (KafkaConsumer as unknown as Constructor)(config),
    );
    this.#rebalancer = new Rebalancer(this.client, options, this.#fetches, (error) => this.#onError(error));
    this.#admin = new ConsumerAdmin(this.client);
    listen(this.client, {
      onError: (error) => this.#onError(error),
      onStatistics: (json) => this.#onStatistics(json),
      ...(options.onLog ? { onLog: options.onLog } : {}),
    });
  }

  get connected(): boolean {
    return this.#isUp && this.#native !== undefined;
  }

  statistics(): ConsumerStatistics | undefined {
    return this.#statistics;
  }

  async connect(timeoutMs: number): Promise<void> {
    await connectClient(this.client, timeoutMs);
    this.#native = this.client.getClient() as unknown as NativeConsumer;
    this.#isUp = true;
  }

  subscribe(topics: readonly string[]): void {
    try {
      this.client.subscribe([...topics]);
    } catch (thrown) {
      throw toKafkaError(thrown);
    }
  }

  rejoin(topics: readonly string[]): void {
    try {
      this.client.unsubscribe();
    } catch (thrown) {
      throw toKafkaError(thrown);
    }
    this.subscribe(topics);
  }

  async fetch(maxRecords: number, timeoutMs: number, onRecords?: OnRecords): Promise<ConsumedRecord[]> {
    const records = await this.#consume(maxRecords, onRecords);
    if (records.length > 0 || timeoutMs <= 0 || this.#closing) return records;
    await this.#waitForMore(timeoutMs);
    return this.#closing ? [] : this.#consume(maxRecords, onRecords);
  }

  /** Takes the fetched records without waiting: a waiting call would delay rebalances. */
  #consume(maxRecords: number, onRecords: OnRecords | undefined): Promise<ConsumedRecord[]> {
    return this.#fetches.run(
      () =>
        new Promise((resolve, reject) => {
          const native = this.#native;
          if (native === undefined || this.#closing) return resolve([]);
          this.#hasMore = false;
          native.consume(0, maxRecords, false, (error, messages, ends) => {
            if (error) return reject(toKafkaError(error));
            // Known at once; the statistics, if enabled, come once per interval.
            if (messages.length > 0) this.#isUp = true;
            const records = messages.map(toConsumedRecord);
            // Before the queue continues, because the assignment changes through the same queue.
            onRecords?.(records, ends);
            resolve(records);
          });
        }),
    );
  }

  #waitForMore(timeoutMs: number): Promise<void> {
    if (this.#hasMore) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#wake = done;
    });
  }

  #onQueueNonEmpty(): void {
    this.#hasMore = true;
    this.#wake?.();
  }

  commit(offsets: readonly CommittedOffset[]): Promise<void> {
    if (offsets.length === 0) return Promise.resolve();
    return this.#commits.run(() =>
      this.#call<void>((done) => {
        this.#onCommitted = (error) => {
          this.#onCommitted = undefined;
          done(error, undefined);
        };
        this.client.commit([...offsets]);
      }),
    );
  }

  async committed(partitions: readonly TopicPartition[], timeoutMs: number): Promise<CommittedOffset[]> {
    const found = await this.#call<readonly (TopicPartition & { offset?: number; metadata?: unknown })[]>(
      (done) => this.client.committed([...partitions], timeoutMs, done),
    );
    return found.map(({ topic, partition, offset, metadata }) => ({
      topic,
      partition,
      offset: offset ?? -1,
      ...(typeof metadata === "string" && { metadata }),
    }));
  }

  describeTopic(topic: string, timeoutMs: number): Promise<TopicDescription> {
    return this.#adminRequest((admin) => admin.describeTopic(topic, timeoutMs));
  }

  groupAssignment(timeoutMs: number): Promise<TopicPartition[]> {
    const groupId = String(this.#options.config["group.id"]);
    return this.#adminRequest((admin) => admin.assignedPartitions(groupId, timeoutMs));
  }

  async watermarks({ topic, partition }: TopicPartition, timeoutMs: number): Promise<Watermarks> {
    const found = await this.#call<{ lowOffset: number; highOffset: number }>((done) =>
      this.client.queryWatermarkOffsets(topic, partition, timeoutMs, done),
    );
    return { low: found.lowOffset, high: found.highOffset };
  }

  pause(partitions: readonly TopicPartition[]): Promise<void> {
    return this.#betweenFetches(() => this.client.pause([...partitions]));
  }

  resume(partitions: readonly TopicPartition[]): Promise<void> {
    return this.#betweenFetches(() => this.client.resume([...partitions]));
  }

  seek(to: TopicPartitionOffset, timeoutMs: number): Promise<void> {
    return this.#fetches.run(() =>
      this.#call<void>((done) => this.client.seek(to, timeoutMs, (error) => done(error, undefined))),
    );
  }

  close(timeoutMs: number): Promise<boolean> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    this.#rebalancer.close();
    this.#wake?.();
    // The client must not be closed while another thread runs a call.
    const idle = Promise.all([this.#fetches.idle(), this.#admin.idle()]);
    const isIdle = await settlesWithin(idle, timeoutMs);
    this.#admin.close();
    this.#onCommitted?.(new KafkaError("not_connected", "The consumer was closed"));
    const isConnected = this.#native !== undefined;
    this.#native = undefined;
    this.#isUp = false;
    if (!isConnected) return true;
    return isIdle && disconnectClient(this.client, deadline - performance.now());
  }

  /** Runs between two fetches, so that no record is fetched twice or skipped. */
  #betweenFetches(act: () => void): Promise<void> {
    return this.#fetches.run(async () => {
      if (this.#closing) return;
      try {
        act();
      } catch (thrown) {
        throw toKafkaError(thrown);
      }
    });
  }

  async #adminRequest<T>(request: (admin: ConsumerAdmin) => Promise<T>): Promise<T> {
    if (this.#native === undefined || this.#closing)
      throw new KafkaError("not_connected", "The consumer isn't connected");
    return request(this.#admin);
  }

  #call<T>(start: (done: (error: unknown, result: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#native === undefined || this.#closing)
        return reject(new KafkaError("not_connected", "The consumer isn't connected"));
      try {
        start((error, result) => (error ? reject(toKafkaError(error)) : resolve(result)));
      } catch (thrown) {
        reject(toKafkaError(thrown));
      }
    });
  }

  #onError(error: KafkaError): void {
    if (error.rdkafkaCode === ALL_BROKERS_DOWN) this.#isUp = false;
    this.#options.onError?.(error);
  }

  #onStatistics(json: string): void {
    const statistics = toConsumerStatistics(json);
    if (statistics === undefined) return;
    this.#statistics = statistics;
    this.#isUp = statistics.brokersUp > 0;
    this.#options.onStatistics?.(statistics);
  }
}
