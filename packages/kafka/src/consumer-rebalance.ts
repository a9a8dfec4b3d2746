// Handles librdkafka's rebalance callback: changes the assignment in the group's protocol, and calls the listener.
import { type KafkaError, toKafkaError } from "./errors.ts";
import type { TopicPartition, TopicPartitionOffset } from "./records.ts";
import type { SerialQueue } from "./serial-queue.ts";

export interface RebalanceListener {
  /**
   * Called before these partitions are assigned. Reading starts at the offsets it returns; partitions without one start
   * at the group's committed offset, or by auto.offset.reset. Nothing is fetched meanwhile, so it needs a time limit of
   * its own. A failure is reported, and then no partition has an offset.
   */
  toStartOffsets?(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]>;
  /**
   * These partitions are assigned to this member; their records come with the next fetch.
   * @param partitions `offset` where `toStartOffsets` returned one
   */
  onAssigned?(partitions: readonly (TopicPartition & { offset?: number })[]): void;
  /**
   * These partitions are revoked, and released when this resolves: finish and commit before that. The group waits for it
   * up to max.poll.interval.ms, so it needs a time limit of its own. `fetch` must be called meanwhile.
   */
  onRevoked?(partitions: readonly TopicPartition[]): Promise<void> | void;
  /** These partitions may belong to another member already: their offsets can't be committed any more. */
  onLost?(partitions: readonly TopicPartition[]): void;
}

/** The methods of Confluent's consumer that a rebalance needs. Their type declarations omit most of them. */
export interface RebalancingClient {
  assign(partitions: TopicPartition[]): unknown;
  unassign(): unknown;
  incrementalAssign(partitions: TopicPartition[]): unknown;
  incrementalUnassign(partitions: TopicPartition[]): unknown;
  assignmentLost(): boolean;
  rebalanceProtocol(): string;
}

/** librdkafka's rebalance codes. */
const ASSIGN = -175;
const REVOKE = -174;

export class Rebalancer {
  readonly #client: RebalancingClient;
  readonly #listener: RebalanceListener;
  readonly #fetches: SerialQueue;
  readonly #onError: (error: KafkaError) => void;
  #isClosing = false;

  /** @param fetches assignments change between two fetches, so that no record of an earlier assignment comes later */
  constructor(
    client: RebalancingClient,
    listener: RebalanceListener,
    fetches: SerialQueue,
    onError: (error: KafkaError) => void,
  ) {
    this.#client = client;
    this.#listener = listener;
    this.#fetches = fetches;
    this.#onError = onError;
  }

  /** From now on every assignment is released at once: librdkafka's close waits for that. */
  close(): void {
    this.#isClosing = true;
  }

  /** librdkafka's callback. The next one comes only after the assignment has been changed as requested. */
  onRebalance(code: number, partitions: readonly TopicPartition[]): void {
    if (this.#isClosing) {
      this.#unassignAll();
      return;
    }
    // Must be read here: later it refers to another rebalance.
    const isLost = code !== ASSIGN && this.#client.assignmentLost();
    this.#rebalance(code, partitions, isLost).catch((thrown) => this.#onError(toKafkaError(thrown)));
  }

  async #rebalance(code: number, partitions: readonly TopicPartition[], isLost: boolean): Promise<void> {
    if (code === ASSIGN) {
      await this.#fetches.run(async () => this.#assign(partitions, await this.#startOffsets(partitions)));
    } else {
      if (code !== REVOKE || isLost) this.#listener.onLost?.(partitions);
      else await this.#notifyRevoked(partitions);
      await this.#fetches.run(async () => this.#unassign(partitions));
    }
  }

  async #startOffsets(partitions: readonly TopicPartition[]): Promise<readonly TopicPartitionOffset[]> {
    if (this.#isClosing || partitions.length === 0) return [];
    try {
      return (await this.#listener.toStartOffsets?.(partitions)) ?? [];
    } catch (thrown) {
      this.#onError(toKafkaError(thrown));
      return [];
    }
  }

  async #notifyRevoked(partitions: readonly TopicPartition[]): Promise<void> {
    try {
      await this.#listener.onRevoked?.(partitions);
    } catch (thrown) {
      // The partitions are released in any case, because the group waits for them.
      this.#onError(toKafkaError(thrown));
    }
  }

  #assign(partitions: readonly TopicPartition[], starts: readonly TopicPartitionOffset[]): void {
    if (this.#isClosing) {
      this.#unassignAll();
      return;
    }
    const startOf = (of: TopicPartition): TopicPartition & { offset?: number } =>
      starts.find(({ topic, partition }) => topic === of.topic && partition === of.partition) ?? of;
    const positions = partitions.map(startOf);
    if (this.#isCooperative()) this.#client.incrementalAssign(positions);
    else this.#client.assign(positions);
    this.#listener.onAssigned?.(positions);
  }

  #unassign(partitions: readonly TopicPartition[]): void {
    if (this.#isClosing) this.#unassignAll();
    else if (this.#isCooperative()) this.#client.incrementalUnassign([...partitions]);
    else this.#client.unassign();
  }

  #isCooperative(): boolean {
    return this.#client.rebalanceProtocol() === "COOPERATIVE";
  }

  /** While leaving the group, a plain unassign works in both protocols. */
  #unassignAll(): void {
    try {
      this.#client.unassign();
    } catch (thrown) {
      this.#onError(toKafkaError(thrown));
    }
  }
}
