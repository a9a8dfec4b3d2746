// Partitions coming and going: librdkafka's rebalance callback, answered in the group's own protocol.
import type { Turns } from "./consumer-turns.ts";
import { type KafkaError, toKafkaError } from "./errors.ts";
import type { TopicPartition } from "./records.ts";

export interface RebalanceListener {
  /** These are this member's now; their records come with the next fetch. */
  onAssigned?(partitions: readonly TopicPartition[]): void;
  /**
   * These are to be given up, and are when this resolves: the time to finish and to commit. The group waits for it (up
   * to max.poll.interval.ms), so it has to bound itself; `fetch` must go on being called meanwhile.
   */
  onRevoked?(partitions: readonly TopicPartition[]): Promise<void> | void;
  /** These are another member's already: nothing of them can be committed any more. */
  onLost?(partitions: readonly TopicPartition[]): void;
}

/** Confluent's consumer, as far as a rebalance needs it. Their type declarations leave most of it out. */
export interface RebalancingClient {
  assign(partitions: TopicPartition[]): unknown;
  unassign(): unknown;
  incrementalAssign(partitions: TopicPartition[]): unknown;
  incrementalUnassign(partitions: TopicPartition[]): unknown;
  assignmentLost(): boolean;
  rebalanceProtocol(): string;
}

/** librdkafka's codes of a rebalance. */
const ASSIGN = -175;
const REVOKE = -174;

export class Rebalancer {
  readonly #client: RebalancingClient;
  readonly #listener: RebalanceListener;
  readonly #queueTurns: Turns;
  readonly #onError: (error: KafkaError) => void;
  #isClosing = false;

  /** @param queueTurns assignments change between two takes, so that no record of a former assignment comes later */
  constructor(
    client: RebalancingClient,
    listener: RebalanceListener,
    queueTurns: Turns,
    onError: (error: KafkaError) => void,
  ) {
    this.#client = client;
    this.#listener = listener;
    this.#queueTurns = queueTurns;
    this.#onError = onError;
  }

  /** From now on everything asked for is given up at once: librdkafka's close waits for that. */
  close(): void {
    this.#isClosing = true;
  }

  /** librdkafka's callback. It waits (and raises no other) until the assignment has been changed as it said. */
  onRebalance(code: number, partitions: readonly TopicPartition[]): void {
    if (this.#isClosing) {
      this.#giveUpAll();
      return;
    }
    // Has to be asked here: later it is about another rebalance.
    const isLost = code !== ASSIGN && this.#client.assignmentLost();
    this.#answer(code, partitions, isLost).catch((thrown) => this.#onError(toKafkaError(thrown)));
  }

  async #answer(code: number, partitions: readonly TopicPartition[], isLost: boolean): Promise<void> {
    if (code === ASSIGN) {
      await this.#queueTurns.take(async () => this.#assign(partitions));
    } else {
      if (code !== REVOKE || isLost) this.#listener.onLost?.(partitions);
      else await this.#askToFinish(partitions);
      await this.#queueTurns.take(async () => this.#unassign(partitions));
    }
  }

  async #askToFinish(partitions: readonly TopicPartition[]): Promise<void> {
    try {
      await this.#listener.onRevoked?.(partitions);
    } catch (thrown) {
      // The group waits for the partitions, whatever became of the work on them.
      this.#onError(toKafkaError(thrown));
    }
  }

  #assign(partitions: readonly TopicPartition[]): void {
    if (this.#isClosing) {
      this.#giveUpAll();
      return;
    }
    if (this.#isCooperative()) this.#client.incrementalAssign([...partitions]);
    else this.#client.assign([...partitions]);
    this.#listener.onAssigned?.(partitions);
  }

  #unassign(partitions: readonly TopicPartition[]): void {
    if (this.#isClosing) this.#giveUpAll();
    else if (this.#isCooperative()) this.#client.incrementalUnassign([...partitions]);
    else this.#client.unassign();
  }

  #isCooperative(): boolean {
    return this.#client.rebalanceProtocol() === "COOPERATIVE";
  }

  /** A group that is being left takes a plain unassign in either protocol. */
  #giveUpAll(): void {
    try {
      this.#client.unassign();
    } catch (thrown) {
      this.#onError(toKafkaError(thrown));
    }
  }
}
