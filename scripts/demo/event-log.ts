// Reads the consumer's log: one line for each handled event.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

/** Counts the event lines of a log file that is still being written. */
export class EventLines {
  #offset = 0;
  readonly #ids = new Set<string>();
  #lines = 0;
  readonly #last: string[] = [];

  constructor(
    readonly logFile: string,
    readonly lastCount = 5,
  ) {}

  /** Number of event lines. */
  get lines(): number {
    return this.#lines;
  }

  /** Number of distinct events. */
  get events(): number {
    return this.#ids.size;
  }

  /** The last few event lines. */
  get last(): readonly string[] {
    return this.#last;
  }

  /** Counts the complete lines written since the last call. */
  async readNew(): Promise<void> {
    const size = Bun.file(this.logFile).size;
    if (size <= this.#offset) return;
    const stream = createReadStream(this.logFile, { start: this.#offset, end: size - 1 });
    for await (const line of createInterface({ input: stream })) this.#count(line, size);
  }

  #count(line: string, size: number): void {
    const bytes = Buffer.byteLength(line) + 1;
    if (this.#offset + bytes > size) return; // an incomplete line
    this.#offset += bytes;
    const id = /"event_id":"((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
    if (id === undefined) return;
    this.#lines++;
    this.#ids.add(id);
    this.#last.push(line);
    if (this.#last.length > this.lastCount) this.#last.shift();
  }
}

/**
 * Waits until `expected` distinct events are logged, or no new one for `idleMs`.
 * @returns whether all were logged
 */
export async function untilLogged(log: EventLines, expected: number, idleMs: number): Promise<boolean> {
  let seen = -1;
  let deadline = 0;
  for (;;) {
    await log.readNew();
    if (log.events >= expected) return true;
    if (log.events > seen) {
      seen = log.events;
      deadline = performance.now() + idleMs;
    }
    if (performance.now() > deadline) return false;
    await Bun.sleep(100);
  }
}
