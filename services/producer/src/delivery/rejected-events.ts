// Events that were taken and that Kafka then refuses for good: a file beside the journal, for a person to look at.
// An event is in the journal until the disk has its line.

import { open } from "node:fs/promises";
import { dirname } from "node:path";
import type { KafkaError } from "@ingest/kafka";
import type { Log } from "@ingest/service";
import { syncFolder } from "./journal/atomic-write.ts";
import type { EncodedEvent } from "./types.ts";

/** A line of the file. The value is base64: whatever it is, it comes back byte for byte. */
export interface RejectedLine {
  at: string;
  code: string;
  reason: string;
  key: string | null;
  value: string;
}

export interface RejectedOptions {
  path: string;
  /** Nothing is appended beyond it until somebody has taken the file away. */
  maxBytes: number;
  log: Log;
  /** Pause after a try that failed, ms. */
  retryMs?: number;
}

interface Waiting {
  text: string;
  onKept: () => void;
}

const RETRY_MS = 1_000;
/** Text that may wait for the disk. */
const MAX_WAITING_LENGTH = 1024 * 1024;

export class RejectedEvents {
  /** Lines that are on the disk. */
  count = 0;
  readonly #options: RejectedOptions;
  #waiting: Waiting[] = [];
  #waitingLength = 0;
  #writing: Promise<void> | undefined;
  #failure: string | undefined;
  #isClosed = false;
  #isNameSynced = false;
  #wake: (() => void) | undefined;

  constructor(options: RejectedOptions) {
    this.#options = options;
  }

  /** Nothing waits for the disk. */
  get isIdle(): boolean {
    return this.#waiting.length === 0;
  }

  /**
   * @param onKept called once the line is on the disk, however long that takes
   * @returns false when so much waits for the disk that this one has to be brought again later
   */
  add(record: Pick<EncodedEvent, "key" | "value">, error: KafkaError, onKept: () => void): boolean {
    if (this.#waitingLength >= MAX_WAITING_LENGTH) return false;
    const line: RejectedLine = {
      at: new Date().toISOString(),
      code: error.code,
      reason: error.message,
      key: record.key,
      value: (typeof record.value === "string" ? Buffer.from(record.value) : record.value).toString("base64"),
    };
    const text = `${JSON.stringify(line)}\n`;
    this.#waiting.push({ text, onKept });
    this.#waitingLength += text.length;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return true;
  }

  /** Tries once more. What the disk doesn't take is left where it was. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake?.();
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const { length } = this.#waiting;
      try {
        await this.#append(this.#waiting.map(({ text }) => text).join(""));
      } catch (error) {
        this.#say(error);
        if (this.#isClosed) return;
        await this.#pause();
        continue;
      }
      this.#failure = undefined;
      this.count += length;
      for (const { text, onKept } of this.#waiting.splice(0, length)) {
        this.#waitingLength -= text.length;
        onKept();
      }
    }
  }

  async #append(text: string): Promise<void> {
    const { path, maxBytes } = this.#options;
    await using file = await open(path, "a");
    const { size } = await file.stat();
    // What comes first is taken however large it is: nothing else would ever make room for it.
    if (size > 0 && size + Buffer.byteLength(text) > maxBytes)
      throw new Error(`the file has ${size} of ${maxBytes} bytes: look at it and take it away`);
    try {
      await file.appendFile(text);
      await file.datasync();
    } catch (error) {
      // No half a line in front of what is written next.
      await file.truncate(size);
      throw error;
    }
    if (size === 0 || !this.#isNameSynced) await syncFolder(dirname(path));
    this.#isNameSynced = true;
  }

  #say(error: unknown): void {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    if (reason === this.#failure) return;
    this.#failure = reason;
    this.#options.log.error(
      { reason, error, path: this.#options.path },
      "rejected events can't be set aside: they stay in the journal",
    );
  }

  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, this.#options.retryMs ?? RETRY_MS);
    await promise;
    clearTimeout(timer);
  }
}
