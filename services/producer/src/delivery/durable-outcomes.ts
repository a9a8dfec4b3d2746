// One shared outcome for all events of one fsync: an event costs no promise of its own.

import { type AcceptOutcome, type DurableOutcome, UNKNOWN } from "./types.ts";

const DURABLE: AcceptOutcome = Object.freeze({ status: "durable" });

export class DurableOutcomes {
  readonly #deadlineMs: number;
  #commit: Promise<boolean> | undefined;
  #outcome: Promise<DurableOutcome> | undefined;
  /** For each group whose fsync is pending: settles it as unknown. */
  readonly #pending = new Set<() => void>();

  /** @param deadlineMs how long a group waits for its fsync */
  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
  }

  /**
   * The outcome of events that were taken and wait for `commit`. When the fsync fails or times out, it is unknown rather
   * than a refusal: Kafka may receive these events all the same.
   * @param commit the same promise for all events of one fsync; false when the fsync failed
   */
  after(commit: Promise<boolean>): Promise<DurableOutcome> {
    if (this.#commit !== commit || !this.#outcome) {
      this.#commit = commit;
      this.#outcome = this.#outcomeOf(commit);
    }
    return this.#outcome;
  }

  /** Settles every pending group as unknown. */
  settlePending(): void {
    for (const settleUnknown of [...this.#pending]) settleUnknown();
  }

  #outcomeOf(commit: Promise<boolean>): Promise<DurableOutcome> {
    const { promise, resolve } = Promise.withResolvers<DurableOutcome>();
    const settle = (outcome: DurableOutcome) => {
      clearTimeout(timer);
      this.#pending.delete(settleUnknown);
      resolve(outcome);
    };
    const settleUnknown = () => settle(UNKNOWN);
    const timer = setTimeout(settleUnknown, this.#deadlineMs);
    this.#pending.add(settleUnknown);
    void commit.then((isSynced) => settle(isSynced ? DURABLE : UNKNOWN));
    return promise;
  }
}
