// The consumer's log as proof: one line for each event handled.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

/** A log that grows, and what of it has been counted. */
export class EventLines {
  #offset = 0;
  readonly #ids = new Set<string>();
  #lines = 0;
  readonly #last: string[] = [];

  constructor(
    readonly logFile: string,
    readonly keep = 5,
  ) {}

  /** Lines that tell of an event. */
  get lines(): number {
    return this.#lines;
  }

  /** Different events among them. */
  get events(): number {
    return this.#ids.size;
  }

  /** The last few such lines, as logged. */
  get last(): readonly string[] {
    return this.#last;
  }

  /** Counts the whole lines that came since the last call. */
  async readOn(): Promise<void> {
    const size = Bun.file(this.logFile).size;
    if (size <= this.#offset) return;
    const stream = createReadStream(this.logFile, { start: this.#offset, end: size - 1 });
    for await (const line of createInterface({ input: stream })) this.#take(line, size);
  }

  #take(line: string, size: number): void {
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#offset + bytes > size) return; // not written to its end yet
    this.#offset += bytes;
    const id = /"event_id":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
    if (id === undefined) return;
    this.#lines++;
    this.#ids.add(id);
    this.#last.push(line);
    if (this.#last.length > this.keep) this.#last.shift();
  }
}

/**
 * Reads until `expected` different events are logged, or none was for `idleMs`.
 * @returns whether all arrived
 */
export async function untilLogged(log: EventLines, expected: number, idleMs: number): Promise<boolean> {
  let seen = -1;
  let deadline = 0;
  for (;;) {
    await log.readOn();
    if (log.events >= expected) return true;
    if (log.events > seen) {
      seen = log.events;
      deadline = performance.now() + idleMs;
    }
    if (performance.now() > deadline) return false;
    await Bun.sleep(100);
  }
}
