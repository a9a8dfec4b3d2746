// Writes lines to a file descriptor, in batches and off the event loop. The only writer of standard output.
import { write, writeSync } from "node:fs";
import { Writable } from "node:stream";

/** Pause before retrying a non-blocking pipe that is full, ms. */
const FULL_PIPE_PAUSE_MS = 5;

/** Writes the buffer from `at` on, or a part of that. */
type Write = (
  fd: number,
  bytes: Buffer,
  at: number,
  done: (error: NodeJS.ErrnoException | null, count: number) => void,
) => void;

const writeFd: Write = (fd, bytes, at, done) => write(fd, bytes, at, bytes.length - at, null, done);

/**
 * Buffers text and writes it in as few calls as possible: text that arrives during a write waits for the next one. Writes
 * run on a thread of the runtime, so a reader that stops reading blocks neither the event loop nor the group membership.
 * Callers bound the memory by waiting for `flush`.
 */
export class LineWriter {
  readonly #fd: number;
  readonly #onBroken: (error: Error) => void;
  readonly #write: Write;
  #buffered = "";
  /** Calls of `write`, and how many of them have been written. */
  #accepted = 0;
  #written = 0;
  #writing: Promise<void> | undefined;
  #isScheduled = false;
  #broken: Error | undefined;

  /**
   * @param onBroken called once, when writing has failed for good: for example, the reader of the pipe is gone
   * @param writeTo replaces the write in tests
   */
  constructor(fd: number, onBroken: (error: Error) => void = () => {}, writeTo: Write = writeFd) {
    this.#fd = fd;
    this.#onBroken = onBroken;
    this.#write = writeTo;
  }

  /** Buffers whole lines, each with its newline. They are written soon; await `flush` to be sure. */
  write(lines: string): void {
    this.#buffered += lines;
    this.#accepted++;
    if (this.#isScheduled || this.#writing) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.flush().catch(() => {}); // reported by onBroken
    });
  }

  /** Resolves when everything buffered before the call is written. @throws when writing has failed */
  async flush(): Promise<void> {
    const upTo = this.#accepted;
    // A write in progress may have started without the last lines; the next one includes them.
    while (this.#written < upTo && !this.#broken) await this.#start();
    if (this.#broken) throw this.#broken;
  }

  /**
   * Writes the buffer synchronously, because the process is about to exit. Does nothing during a write: that may be half
   * done, so this text would land in the middle of a line; and if it waits for its reader, this would block for ever.
   */
  flushSync(): void {
    if (this.#buffered === "" || this.#broken || this.#writing !== undefined) return;
    let bytes = Buffer.from(this.#buffered);
    this.#buffered = "";
    const deadline = performance.now() + 1_000;
    while (bytes.length > 0 && performance.now() < deadline) {
      try {
        bytes = bytes.subarray(writeSync(this.#fd, bytes));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return;
        Bun.sleepSync(1);
      }
    }
  }

  /** A stream that writes to this writer. */
  toStream(): Writable {
    return new Writable({
      decodeStrings: false,
      write: (chunk: string | Buffer, _encoding, done) => {
        this.write(chunk.toString());
        done();
      },
    });
  }

  /** One write at a time; calls made while it runs share the next one. */
  #start(): Promise<void> {
    this.#writing ??= this.#writeBuffered().finally(() => {
      this.#writing = undefined;
      if (this.#buffered !== "") this.write("");
    });
    return this.#writing;
  }

  async #writeBuffered(): Promise<void> {
    const bytes = Buffer.from(this.#buffered);
    const upTo = this.#accepted;
    this.#buffered = "";
    if (this.#broken) return;
    try {
      await this.#writeAll(bytes);
      this.#written = upTo;
    } catch (error) {
      this.#broken = error as Error;
      this.#onBroken(this.#broken);
    }
  }

  async #writeAll(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const written = await new Promise<number>((resolve, reject) => {
        this.#write(this.#fd, bytes, at, (error, count) => {
          if (!error) resolve(count);
          else if (error.code === "EAGAIN") resolve(0);
          else reject(error);
        });
      });
      if (written === 0) await Bun.sleep(FULL_PIPE_PAUSE_MS);
      at += written;
    }
  }
}
