// The outcome of each event, in one byte an event: ten million events take ten megabytes.

/** What the responses say about an event. */
export enum EventOutcome {
  /** Not sent: there was no connection. */
  Unsent = 0,
  /** Sent, and no response says whether it was accepted. */
  Unknown = 1,
  Accepted = 2,
  Refused = 3,
}

const OUTCOME_BITS = 0b11;
const COUNT_STEP = 0b100;
/** Occurrences are counted up to 63, which stands for "63 or more". */
const MAX_COUNT = 0xff >> 2;
const CHUNK = 1 << 20;

export class Ledger {
  // Growing adds a chunk and copies nothing.
  #chunks: Uint8Array[] = [];
  #size = 0;

  /** One more than the highest event that was set. */
  get size(): number {
    return this.#size;
  }

  setOutcome(n: number, outcome: EventOutcome): void {
    const chunk = this.#chunkOf(n);
    chunk[n % CHUNK] = (chunk[n % CHUNK]! & ~OUTCOME_BITS) | outcome;
    if (n >= this.#size) this.#size = n + 1;
  }

  /** The same for events `first` to `first + count - 1`. */
  setOutcomes(first: number, count: number, outcome: EventOutcome): void {
    for (let n = first; n < first + count; n++) this.setOutcome(n, outcome);
  }

  outcomeOf(n: number): EventOutcome {
    return n < this.#size ? this.#chunkOf(n)[n % CHUNK]! & OUTCOME_BITS : EventOutcome.Unsent;
  }

  /** Counts event `n` as found in the topic. @returns how often it has been found, up to 63 */
  addOccurrence(n: number): number {
    const chunk = this.#chunkOf(n);
    const at = n % CHUNK;
    const seen = chunk[at]! >> 2;
    if (seen < MAX_COUNT) chunk[at] = chunk[at]! + COUNT_STEP;
    return Math.min(seen + 1, MAX_COUNT);
  }

  occurrencesOf(n: number): number {
    return n < this.#size ? this.#chunkOf(n)[n % CHUNK]! >> 2 : 0;
  }

  #chunkOf(n: number): Uint8Array {
    const index = Math.floor(n / CHUNK);
    while (this.#chunks.length <= index) this.#chunks.push(new Uint8Array(CHUNK));
    return this.#chunks[index]!;
  }
}
