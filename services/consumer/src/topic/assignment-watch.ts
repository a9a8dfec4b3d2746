// Tells a member that rightly has no partitions from one that the group has forgotten, and has that one join again.
import { type KafkaConsumer, toKafkaError } from "@ingest/kafka";
import type { Log } from "@ingest/service";
import type { TopicWatch } from "./topic-watch.ts";

export interface AssignmentWatchOptions {
  topic: string;
  topicWatch: Pick<TopicWatch, "state" | "current">;
  /** Undefined until connected to Kafka. */
  consumer(): Pick<KafkaConsumer, "committed" | "groupAssignment" | "rejoin"> | undefined;
  hasJoined(): boolean;
  /** Number of partitions that this member has. */
  assigned(): number;
  log: Log;
  now?(): number;
}

/**
 * - pending: the first assignment has not come yet, or a rebalance may be in progress
 * - idle: the group's other members have all partitions
 * - unassigned: some partitions belong to nobody, and this member has none
 */
export type AssignmentState = "pending" | "assigned" | "idle" | "unassigned";

const REQUEST_TIMEOUT_MS = 1_500;
/** How long a rebalance may leave this member without partitions, ms. Also the time between two attempts to join. */
export const MAX_UNASSIGNED_MS = 10_000;

export class AssignmentWatch {
  readonly #options: AssignmentWatchOptions;
  readonly #now: () => number;
  #emptySince: number | undefined;
  #state: AssignmentState = "pending";

  constructor(options: AssignmentWatchOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** As of the last look. */
  get state(): AssignmentState {
    return this.#options.assigned() > 0 ? "assigned" : this.#state;
  }

  async look(): Promise<void> {
    const { assigned, hasJoined, topicWatch } = this.#options;
    if (assigned() > 0 || !hasJoined() || topicWatch.state !== "present") {
      this.#emptySince = undefined;
      this.#state = "pending";
      return;
    }
    const now = this.#now();
    this.#emptySince ??= now;
    if (now - this.#emptySince < MAX_UNASSIGNED_MS) return;
    this.#emptySince = now;
    this.#state = (await this.#isShared()) ? "idle" : "unassigned";
    if (this.#state === "unassigned") this.#rejoin();
  }

  #rejoin(): void {
    const { consumer, log, topic } = this.#options;
    log.error({ topic }, "no partitions assigned, and some belong to no member: joining the group again");
    try {
      consumer()?.rejoin([topic]);
    } catch (thrown) {
      log.warn({ error: toKafkaError(thrown).message }, "joining the group failed");
    }
  }

  /**
   * Whether each partition belongs to a member of the group; true when that can't be found out.
   * The coordinator is asked for an offset first: librdkafka 2.15.1 ends the process when the connection to the coordinator
   * is down at the moment of an admin request to it (librdkafka's pull request 5397).
   */
  async #isShared(): Promise<boolean> {
    const { consumer, topic, topicWatch } = this.#options;
    try {
      await consumer()?.committed([{ topic, partition: 0 }], REQUEST_TIMEOUT_MS);
      const assigned = (await consumer()?.groupAssignment(REQUEST_TIMEOUT_MS)) ?? [];
      const shared = assigned.filter((partition) => partition.topic === topic);
      return shared.length >= (topicWatch.current?.partitions ?? 0);
    } catch {
      return true;
    }
  }
}
