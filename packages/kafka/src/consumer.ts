// Reading as a member of a group: Confluent's KafkaConsumer, asked for records and never left to push them.
import type { KafkaConsumer as ConfluentKafkaConsumer } from "@confluentinc/kafka-javascript";
import { settlesWithin } from "@ingest/wait";
import { type ClientLog, connectClient, construct, disconnectClient, listen } from "./client.ts";
import { rememberClient } from "./consumer-clients.ts";
import { type RebalanceListener, Rebalancer, type RebalancingClient } from "./consumer-rebalance.ts";
import { Turns } from "./consumer-turns.ts";
import { KafkaError, toKafkaError } from "./errors.ts";
import {
  type ClientConfig,
  type ClientMessage,
  type ConsumedRecord,
  type TopicPartition,
  type TopicPartitionOffset,
  toConsumedRecord,
} from "./records.ts";
import { type ConsumerStatistics, toConsumerStatistics } from "./statistics.ts";

export interface ConsumerOptions extends RebalanceListener {
  /** From `toClientConfig(settings, "consumer")`. */
  config: ClientConfig;
  /** Trouble that is no single call's: brokers away, a lost session. What `isFatal` ends this consumer. */
  onError?(error: KafkaError): void;
  onLog?(log: ClientLog): void;
  onStatistics?(statistics: ConsumerStatistics): void;
}

/** The first and the next offset of a partition. */
export interface Watermarks {
  low: number;
  high: number;
}

export interface KafkaConsumer {
  /**
   * Resolves once a broker has answered. A consumer that failed to connect is of no more use: make another.
   * @throws KafkaError with the most telling reason
   */
  connect(timeoutMs: number): Promise<void>;
  /** Joins the group for these topics; partitions come by `onAssigned` while `fetch` is called. */
  subscribe(topics: readonly string[]): void;
  /**
   * Up to `maxRecords` records that are there already, or else what comes within `timeoutMs` (maybe nothing).
   * Also what keeps the membership: call it more often than max.poll.interval.ms, one call at a time.
   * @param onTaken gets the same records at the moment they are taken, when no partition can come or go. By the time
   * the promise tells of them one may have gone and come back, to be read again from an earlier offset
   * @throws KafkaError
   */
  fetch(
    maxRecords: number,
    timeoutMs: number,
    onTaken?: (records: readonly ConsumedRecord[]) => void,
  ): Promise<ConsumedRecord[]>;
  /**
   * Commits; `offset` is the next one to read. Resolves when the broker has confirmed it, which is heard of while
   * `fetch` is called. Calls are carried out one after the other. With no coordinator in reach it takes up to
   * session.timeout.ms until it fails.
   * @throws KafkaError
   */
  commit(offsets: readonly TopicPartitionOffset[]): Promise<void>;
  /** What the group has committed; offset -1 where there is nothing. */
  committed(partitions: readonly TopicPartition[], timeoutMs: number): Promise<TopicPartitionOffset[]>;
  /** Asks the broker. @throws KafkaError */
  watermarks(partition: TopicPartition, timeoutMs: number): Promise<Watermarks>;
  /** Brings no records of these until `resume`; what was fetched ahead is thrown away and read again then. */
  pause(partitions: readonly TopicPartition[]): Promise<void>;
  resume(partitions: readonly TopicPartition[]): Promise<void>;
  /** Goes on at this offset. @throws KafkaError when the partition isn't this member's */
  seek(to: TopicPartitionOffset, timeoutMs: number): Promise<void>;
  /** Whether a broker is up right now, by librdkafka's events and statistics. */
  readonly connected: boolean;
  statistics(): ConsumerStatistics | undefined;
  /**
   * Leaves the group (a static member doesn't: its place is kept for session.timeout.ms) and lets go of the client.
   * Partitions still held are given up without another word to the listener. A commit under way fails here, and may
   * have reached the broker.
   * @returns false when it could not be done in time; what is left ends with the process
   */
  close(timeoutMs: number): Promise<boolean>;
}

/** Makes a consumer; nothing is connected yet. @throws KafkaError `unsupported` or `invalid_config` */
export function createConsumer(options: ConsumerOptions): KafkaConsumer {
  return new ConfluentConsumer(options);
}

/** The addon's own `consume`: without the event for each record that Confluent's wrapper emits. */
interface NativeConsumer {
  consume(
    timeoutMs: number,
    maxRecords: number,
    timeoutOnlyForFirst: boolean,
    done: (error: unknown, messages: ClientMessage[]) => void,
  ): void;
}

/** With what Confluent's type declarations leave out. */
type Client = ConfluentKafkaConsumer & RebalancingClient;

const ALL_BROKERS_DOWN = -187;

class ConfluentConsumer implements KafkaConsumer {
  readonly #options: ConsumerOptions;
  readonly #client: Client;
  readonly #rebalancer: Rebalancer;
  /** What must not happen while records are taken out of the client's queue takes turns with that. */
  readonly #queueTurns = new Turns();
  readonly #commitTurns = new Turns();
  #native: NativeConsumer | undefined;
  #closing: Promise<boolean> | undefined;
  #isUp = false;
  #statistics: ConsumerStatistics | undefined;
  /** Set by the client's thread when its queue stops being empty. */
  #hasMore = false;
  #wake: (() => void) | undefined;
  /** Ends the commit under way. */
  #onCommitted: ((error: unknown) => void) | undefined;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    const config = {
      ...options.config,
      rebalance_cb: (error: { code: number } | undefined, partitions: TopicPartition[]) =>
        this.#rebalancer.onRebalance(error?.code ?? 0, partitions),
      // The one way to hear of a commit's outcome: Confluent's commitCb calls back when the commit has been asked for.
      offset_commit_cb: (error: unknown) => this.#onCommitted?.(error),
      // Confluent's promisified consumer waits by the same callback; their types don't name it.
      queue_non_empty_cb: () => this.#onQueueNonEmpty(),
    };
    // No topic configuration of its own: an empty one would put librdkafka's defaults before ours.
    type Constructor = new (config: ClientConfig) => Client;
    this.#client = construct(
      config,
      ({ KafkaConsumer }) => new (KafkaConsumer as unknown as Constructor)(config),
    );
    rememberClient(this, this.#client);
    this.#rebalancer = new Rebalancer(this.#client, options, this.#queueTurns, (error) =>
      this.#onError(error),
    );
    listen(this.#client, {
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
    await connectClient(this.#client, timeoutMs);
    this.#native = this.#client.getClient() as unknown as NativeConsumer;
    this.#isUp = true;
  }

  subscribe(topics: readonly string[]): void {
    try {
      this.#client.subscribe([...topics]);
    } catch (thrown) {
      throw toKafkaError(thrown);
    }
  }

  async fetch(
    maxRecords: number,
    timeoutMs: number,
    onTaken?: (records: readonly ConsumedRecord[]) => void,
  ): Promise<ConsumedRecord[]> {
    const records = await this.#take(maxRecords, onTaken);
    if (records.length > 0 || timeoutMs <= 0 || this.#closing) return records;
    await this.#untilMore(timeoutMs);
    return this.#closing ? [] : this.#take(maxRecords, onTaken);
  }

  /** Takes what is there without waiting, so that a turn is short: a waiting call would keep rebalances out. */
  #take(
    maxRecords: number,
    onTaken: ((records: readonly ConsumedRecord[]) => void) | undefined,
  ): Promise<ConsumedRecord[]> {
    return this.#queueTurns.take(
      () =>
        new Promise((resolve, reject) => {
          const native = this.#native;
          if (native === undefined || this.#closing) return resolve([]);
          this.#hasMore = false;
          native.consume(0, maxRecords, false, (error, messages) => {
            if (error) return reject(toKafkaError(error));
            // Told at once; the statistics, where they are on, only once an interval.
            if (messages.length > 0) this.#isUp = true;
            const records = messages.map(toConsumedRecord);
            // Inside the turn: the assignment changes in a turn of its own.
            onTaken?.(records);
            resolve(records);
          });
        }),
    );
  }

  #untilMore(timeoutMs: number): Promise<void> {
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

  commit(offsets: readonly TopicPartitionOffset[]): Promise<void> {
    if (offsets.length === 0) return Promise.resolve();
    return this.#commitTurns.take(() =>
      this.#call<void>((done) => {
        this.#onCommitted = (error) => {
          this.#onCommitted = undefined;
          done(error, undefined);
        };
        this.#client.commit([...offsets]);
      }),
    );
  }

  async committed(partitions: readonly TopicPartition[], timeoutMs: number): Promise<TopicPartitionOffset[]> {
    const found = await this.#call<{ topic: string; partition: number; offset?: number }[]>((done) =>
      this.#client.committed([...partitions], timeoutMs, done),
    );
    return found.map(({ topic, partition, offset }) => ({ topic, partition, offset: offset ?? -1 }));
  }

  async watermarks({ topic, partition }: TopicPartition, timeoutMs: number): Promise<Watermarks> {
    const found = await this.#call<{ lowOffset: number; highOffset: number }>((done) =>
      this.#client.queryWatermarkOffsets(topic, partition, timeoutMs, done),
    );
    return { low: found.lowOffset, high: found.highOffset };
  }

  pause(partitions: readonly TopicPartition[]): Promise<void> {
    return this.#inTurn(() => this.#client.pause([...partitions]));
  }

  resume(partitions: readonly TopicPartition[]): Promise<void> {
    return this.#inTurn(() => this.#client.resume([...partitions]));
  }

  seek(to: TopicPartitionOffset, timeoutMs: number): Promise<void> {
    return this.#queueTurns.take(() =>
      this.#call<void>((done) => this.#client.seek(to, timeoutMs, (error) => done(error, undefined))),
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
    // The client must not be let go of under a call that another thread is in.
    const isIdle = await settlesWithin(this.#queueTurns.idle(), timeoutMs);
    this.#onCommitted?.(new KafkaError("not_connected", "The consumer was closed"));
    const isConnected = this.#native !== undefined;
    this.#native = undefined;
    this.#isUp = false;
    if (!isConnected) return true;
    return isIdle && disconnectClient(this.#client, deadline - performance.now());
  }

  /** Between two takes: a record taken before belongs to what was before, and none is taken twice or left out. */
  #inTurn(act: () => void): Promise<void> {
    return this.#queueTurns.take(async () => {
      if (this.#closing) return;
      try {
        act();
      } catch (thrown) {
        throw toKafkaError(thrown);
      }
    });
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
