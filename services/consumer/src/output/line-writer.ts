// Lines to a file descriptor, in batches, off the event loop: the one writer of standard output.
import { write, writeSync } from "node:fs";
import { Writable } from "node:stream";

/** A full pipe that doesn't block is tried again after this, ms. */
const FULL_PIPE_PAUSE_MS = 5;

/** Writes a buffer's rest from `at` on, or a part of it. */
type Write = (
  fd: number,
  bytes: Buffer,
  at: number,
  done: (error: NodeJS.ErrnoException | null, count: number) => void,
) => void;

const writeFd: Write = (fd, bytes, at, done) => write(fd, bytes, at, bytes.length - at, null, done);

/**
 * Collects text and writes it in as few calls as the reader lets it: while one write is under way, what comes meanwhile
 * waits for the next. Each write is done by a thread of the runtime's, so that a reader that doesn't read stops neither
 * the event loop nor the group membership. Memory is bounded by whoever waits for `flush` before going on.
 */
export class LineWriter {
  readonly #fd: number;
  readonly #onBroken: (error: Error) => void;
  readonly #write: Write;
  #collected = "";
  /** How often something was taken, and up to which of these all is written. */
  #taken = 0;
  #written = 0;
  #writing: Promise<void> | undefined;
  #isScheduled = false;
  #broken: Error | undefined;

  /**
   * @param onBroken told once when nothing can be written any more, as when the reader of a pipe has gone
   * @param writeTo another way to write, for tests
   */
  constructor(fd: number, onBroken: (error: Error) => void = () => {}, writeTo: Write = writeFd) {
    this.#fd = fd;
    this.#onBroken = onBroken;
    this.#write = writeTo;
  }

  /** Takes whole lines, each with its newline. They are written soon; `flush` tells when. */
  write(lines: string): void {
    this.#collected += lines;
    this.#taken++;
    if (this.#isScheduled || this.#writing) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.flush().catch(() => {}); // onBroken has been told
    });
  }

  /** Resolves when all that was taken before is with the operating system. @throws when it can't be written */
  async flush(): Promise<void> {
    const upTo = this.#taken;
    // A write under way may have begun without the last of it; then the next one has it.
    while (this.#written < upTo && !this.#broken) await this.#start();
    if (this.#broken) throw this.#broken;
  }

  /**
   * Writes what waits at once, for the process is about to end. Not under a write: that may be half done, so this would
   * land in the middle of a line; and where that one waits for its reader, so would this, for ever.
   */
  flushSync(): void {
    if (this.#collected === "" || this.#broken || this.#writing !== undefined) return;
    let bytes = Buffer.from(this.#collected);
    this.#collected = "";
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

  /** The same as a stream, for what wants one. */
  toStream(): Writable {
    return new Writable({
      decodeStrings: false,
      write: (chunk: string | Buffer, _encoding, done) => {
        this.write(chunk.toString());
        done();
      },
    });
  }

  /** One write at a time; whoever comes while it runs shares the next. */
  #start(): Promise<void> {
    this.#writing ??= this.#writeCollected().finally(() => {
      this.#writing = undefined;
      if (this.#collected !== "") this.write("");
    });
    return this.#writing;
  }

  async #writeCollected(): Promise<void> {
    const bytes = Buffer.from(this.#collected);
    const upTo = this.#taken;
    this.#collected = "";
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
