// Quarantine for accepted events that Kafka rejects for good: a file beside the journal, for a person to look at.
// An event stays in the journal until its line is on disk.

import { open } from "node:fs/promises";
import { dirname } from "node:path";
import type { KafkaError, NewHeaders } from "@ingest/kafka";
import type { Log } from "@ingest/service";
import { syncFolder } from "./journal/atomic-write.ts";
import type { RetainedEvent } from "./tracked-event.ts";

/** A line of the file. Values are in base64, so that any bytes are preserved. */
export interface RejectedLine {
  /** When it was rejected (RFC 3339), and why. */
  at: string;
  code: string;
  reason: string;
  /** Absent: KAFKA_TOPIC. */
  topic?: string;
  /** When the event was received, Unix ms. */
  receivedMs?: number;
  key: string | null;
  value: string;
  /** Absent: none. */
  headers?: [name: string, value: string | null][];
}

export interface RejectedOptions {
  path: string;
  /** The topic of events that name none. */
  topic: string;
  /** At this size nothing is appended until an operator has moved the file away. */
  maxBytes: number;
  log: Log;
  /** Pause after a failed write, ms. */
  retryMs?: number;
}

interface PendingLine {
  text: string;
  onSynced: () => void;
}

const RETRY_MS = 1_000;
/** Limit of the text that waits to be written. */
const MAX_PENDING_LENGTH = 1024 * 1024;

export class RejectedEvents {
  /** Number of lines written and synced. */
  count = 0;
  readonly #options: RejectedOptions;
  #pending: PendingLine[] = [];
  #pendingLength = 0;
  #writing: Promise<void> | undefined;
  #failure: string | undefined;
  #isClosed = false;
  #isNameSynced = false;
  #wake: (() => void) | undefined;

  constructor(options: RejectedOptions) {
    this.#options = options;
  }

  /** No line waits to be written. */
  get isIdle(): boolean {
    return this.#pending.length === 0;
  }

  /**
   * @param onSynced called once the line is on disk, however long that takes
   * @returns false when too many lines are waiting: add the event again later
   */
  add(record: RetainedEvent, error: KafkaError, onSynced: () => void): boolean {
    if (this.#pendingLength >= MAX_PENDING_LENGTH) return false;
    const line: RejectedLine = {
      at: new Date().toISOString(),
      code: error.code,
      reason: error.message,
      topic: record.topic ?? this.#options.topic,
      ...(record.receivedMs === undefined ? {} : { receivedMs: record.receivedMs }),
      key: record.key,
      value: toBase64(record.value),
      ...(record.headers === undefined ? {} : { headers: toHeaderLines(record.headers) }),
    };
    const text = `${JSON.stringify(line)}\n`;
    this.#pending.push({ text, onSynced });
    this.#pendingLength += text.length;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
    return true;
  }

  /** Writes pending lines once more. Events whose line can't be written stay in the journal. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wake?.();
    await this.#writing;
  }

  async #writeAll(): Promise<void> {
    while (this.#pending.length > 0) {
      const { length } = this.#pending;
      try {
        await this.#append(this.#pending.map(({ text }) => text).join(""));
      } catch (error) {
        this.#logFailure(error);
        if (this.#isClosed) return;
        await this.#pause();
        continue;
      }
      this.#failure = undefined;
      this.count += length;
      for (const { text, onSynced } of this.#pending.splice(0, length)) {
        this.#pendingLength -= text.length;
        onSynced();
      }
    }
  }

  async #append(text: string): Promise<void> {
    const { path, maxBytes } = this.#options;
    await using file = await open(path, "a");
    const { size } = await file.stat();
    // The first line is written whatever its size: there is never more room than in an empty file.
    if (size > 0 && size + Buffer.byteLength(text) > maxBytes)
      throw new Error(`the file has ${size} of at most ${maxBytes} bytes: inspect it and move it away`);
    try {
      await file.appendFile(text);
      await file.datasync();
    } catch (error) {
      // Leave no partial line before the next one.
      await file.truncate(size);
      throw error;
    }
    if (size === 0 || !this.#isNameSynced) await syncFolder(dirname(path));
    this.#isNameSynced = true;
  }

  #logFailure(error: unknown): void {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    if (reason === this.#failure) return;
    this.#failure = reason;
    this.#options.log.error(
      { reason, error, path: this.#options.path },
      "writing rejected events failed: they stay in the journal",
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

function toBase64(content: string | Uint8Array): string {
  return Buffer.from(content as Uint8Array).toString("base64");
}

function toHeaderLines(headers: NewHeaders): [string, string | null][] {
  return headers.map(([name, value]) => [name, value === null ? null : toBase64(value)]);
}
