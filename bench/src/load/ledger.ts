// What became of each event, one byte an event: ten million events are ten megabytes.

/** What the answers said of an event. */
export enum Fate {
  /** Not sent: no connection could be made. */
  Unsent = 0,
  /** Sent, and no answer says whether it was taken. */
  Unknown = 1,
  Accepted = 2,
  Refused = 3,
}

const FATE_BITS = 0b11;
const COUNT_STEP = 0b100;
/** Sightings are counted to 63, and then it is just "63 or more". */
const MAX_COUNT = 0xff >> 2;
const CHUNK = 1 << 20;

export class Ledger {
  // In chunks, so that growing never copies.
  #chunks: Uint8Array[] = [];
  #size = 0;

  /** One more than the greatest event that was set. */
  get size(): number {
    return this.#size;
  }

  setFate(n: number, fate: Fate): void {
    const chunk = this.#chunkOf(n);
    chunk[n % CHUNK] = (chunk[n % CHUNK]! & ~FATE_BITS) | fate;
    if (n >= this.#size) this.#size = n + 1;
  }

  /** The same for events `first` to `first + count - 1`. */
  setFates(first: number, count: number, fate: Fate): void {
    for (let n = first; n < first + count; n++) this.setFate(n, fate);
  }

  fateOf(n: number): Fate {
    return n < this.#size ? this.#chunkOf(n)[n % CHUNK]! & FATE_BITS : Fate.Unsent;
  }

  /** Notes that event `n` was found in the topic. @returns how many times by now, up to 63 */
  addSighting(n: number): number {
    const chunk = this.#chunkOf(n);
    const at = n % CHUNK;
    const seen = chunk[at]! >> 2;
    if (seen < MAX_COUNT) chunk[at] = chunk[at]! + COUNT_STEP;
    return Math.min(seen + 1, MAX_COUNT);
  }

  sightingsOf(n: number): number {
    return n < this.#size ? this.#chunkOf(n)[n % CHUNK]! >> 2 : 0;
  }

  #chunkOf(n: number): Uint8Array {
    const index = Math.floor(n / CHUNK);
    while (this.#chunks.length <= index) this.#chunks.push(new Uint8Array(CHUNK));
    return this.#chunks[index]!;
  }
}
