// One answer for all that one fsync made durable: an event costs no promise of its own.

import type { RefusalCounter } from "./refusals.ts";
import type { Acceptance } from "./types.ts";

const DURABLE: Acceptance = Object.freeze({ status: "durable" });

export class DurableAnswers {
  readonly #refusals: RefusalCounter;
  #group: Promise<boolean> | undefined;
  #answer: Promise<Acceptance> | undefined;

  constructor(refusals: RefusalCounter) {
    this.#refusals = refusals;
  }

  /** @param group the same promise for everything that goes to the disk together */
  after(group: Promise<boolean>): Promise<Acceptance> {
    if (this.#group !== group || !this.#answer) {
      this.#group = group;
      this.#answer = group.then((isKept) =>
        isKept ? DURABLE : this.#refusals.refuse("journal_unavailable"),
      );
    }
    return this.#answer;
  }
}
