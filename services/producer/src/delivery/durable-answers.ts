// One answer for all that one fsync made durable: an event costs no promise of its own.

import { type Acceptance, type DurableOutcome, UNKNOWN } from "./types.ts";

const DURABLE: Acceptance = Object.freeze({ status: "durable" });

export class DurableAnswers {
  readonly #deadlineMs: number;
  #group: Promise<boolean> | undefined;
  #answer: Promise<DurableOutcome> | undefined;
  /** Gives up on a group that has no answer yet. */
  readonly #open = new Set<() => void>();

  /** @param deadlineMs how long a group waits for the disk */
  constructor(deadlineMs: number) {
    this.#deadlineMs = deadlineMs;
  }

  /**
   * The events were taken: when the disk fails or says nothing, Kafka gets them all the same. So that is not a refusal.
   * @param group the same promise for everything that goes to the disk together
   */
  after(group: Promise<boolean>): Promise<DurableOutcome> {
    if (this.#group !== group || !this.#answer) {
      this.#group = group;
      this.#answer = this.#answerTo(group);
    }
    return this.#answer;
  }

  /** Answers everybody who waits: nobody can know yet. */
  giveUp(): void {
    for (const giveUp of [...this.#open]) giveUp();
  }

  #answerTo(group: Promise<boolean>): Promise<DurableOutcome> {
    const { promise, resolve } = Promise.withResolvers<DurableOutcome>();
    const settle = (outcome: DurableOutcome) => {
      clearTimeout(timer);
      this.#open.delete(giveUp);
      resolve(outcome);
    };
    const giveUp = () => settle(UNKNOWN);
    const timer = setTimeout(giveUp, this.#deadlineMs);
    this.#open.add(giveUp);
    void group.then((isKept) => settle(isKept ? DURABLE : UNKNOWN));
    return promise;
  }
}
