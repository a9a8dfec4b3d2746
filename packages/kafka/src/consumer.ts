// Consuming as a member of a group: records are requested in batches, and never pushed.
import type { ClientLog } from "./client.ts";
import type { RebalanceListener } from "./consumer-rebalance.ts";
import type { KafkaError } from "./errors.ts";
import type {
  ClientConfig,
  CommittedOffset,
  ConsumedRecord,
  TopicPartition,
  TopicPartitionOffset,
} from "./records.ts";
import type { ConsumerStatistics } from "./statistics.ts";

export interface ConsumerOptions extends RebalanceListener {
  /** From `toClientConfig(settings, "consumer")`. */
  config: ClientConfig;
  /** Errors outside of any call: brokers unavailable, a lost session. An error with `isFatal` ends this consumer. */
  onError?(error: KafkaError): void;
  onLog?(log: ClientLog): void;
  onStatistics?(statistics: ConsumerStatistics): void;
}

/** The first offset of a partition, and the next one to be written. */
export interface Watermarks {
  low: number;
  high: number;
}

/** A topic as the brokers know it now. */
export interface TopicDescription {
  /** Unique to this topic: one that is deleted and created again under the same name has another (KIP-516). */
  topicId: string;
  /** Number of partitions. */
  partitions: number;
}

export type OnRecords = (records: readonly ConsumedRecord[], ends: readonly TopicPartitionOffset[]) => void;

export interface KafkaConsumer {
  /**
   * Resolves once a broker has responded. A consumer that failed to connect can't be used again: create another.
   * @throws KafkaError with the most specific reason
   */
  connect(timeoutMs: number): Promise<void>;
  /** Joins the group for these topics. `onAssigned` is called with partitions while `fetch` is in use. */
  subscribe(topics: readonly string[]): void;
  /**
   * Leaves the group and joins it again, so that its partitions are assigned anew. librdkafka doesn't when a topic was
   * missing during the last assignment and is back within topic.metadata.propagation.max.ms: it sees no change.
   */
  rejoin(topics: readonly string[]): void;
  /**
   * Returns up to `maxRecords` records: those already fetched, or else those that arrive within `timeoutMs`, if any.
   * It also keeps the membership: call it more often than max.poll.interval.ms, one call at a time.
   * @param onRecords receives the same records while the assignment can't change. By the time the promise resolves, a
   * partition may have been revoked and assigned again, to be read from an earlier offset. `ends` are partitions that have
   * been read to their end: below `offset` there is no record that wasn't among these or earlier ones, but there may be
   * offsets without one, such as transaction markers
   * @throws KafkaError
   */
  fetch(maxRecords: number, timeoutMs: number, onRecords?: OnRecords): Promise<ConsumedRecord[]>;
  /**
   * Commits; `offset` is the next one to read. Resolves when the broker has confirmed the commit, which is reported only
   * while `fetch` is in use. Commits run one after the other. Without a coordinator, a commit fails after up to
   * session.timeout.ms.
   * @throws KafkaError
   */
  commit(offsets: readonly CommittedOffset[]): Promise<void>;
  /** The group's committed offsets; -1 where there is none. */
  committed(partitions: readonly TopicPartition[], timeoutMs: number): Promise<CommittedOffset[]>;
  /** Queries the brokers. @throws KafkaError `unknown_topic`, `authorization`, `timed_out` */
  describeTopic(topic: string, timeoutMs: number): Promise<TopicDescription>;
  /** The partitions that the members of this consumer's group have now. @throws KafkaError */
  groupAssignment(timeoutMs: number): Promise<TopicPartition[]>;
  /** Queries the broker. @throws KafkaError */
  watermarks(partition: TopicPartition, timeoutMs: number): Promise<Watermarks>;
  /** Stops fetching these until `resume`. Records fetched ahead are discarded, and fetched again then. */
  pause(partitions: readonly TopicPartition[]): Promise<void>;
  resume(partitions: readonly TopicPartition[]): Promise<void>;
  /** Continues at this offset. @throws KafkaError when the partition isn't assigned to this member */
  seek(to: TopicPartitionOffset, timeoutMs: number): Promise<void>;
  /** Whether a broker is connected, according to librdkafka's events and statistics. */
  readonly connected: boolean;
  statistics(): ConsumerStatistics | undefined;
  /**
   * Leaves the group and closes the client. A static member doesn't leave: it keeps its place for session.timeout.ms.
   * Remaining partitions are released without a call of the listener. A commit in progress fails, although it may have
   * reached the broker.
   * @returns false when the time was too short; the client's threads then last as long as the process
   */
  close(timeoutMs: number): Promise<boolean>;
}
