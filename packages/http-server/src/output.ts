// Bytes to be sent: the responses of one turn of the event loop together, and what the client does not read yet.
import type { Socket } from "bun";
import type { ByteBudget } from "./byte-budget.ts";

/** How much text is collected before it is written, characters. */
const FLUSH_LENGTH = 64 * 1024;

export class Output {
  readonly #socket: Pick<Socket<unknown>, "write">;
  readonly #budget: ByteBudget;
  /** To be written at the end of this turn. ASCII. */
  #text = "";
  /** Written, and not accepted by the socket yet. */
  #unsent: Buffer | undefined;
  /** Bytes of `#unsent` that are charged to the budget. */
  #charged = 0;
  #isClosed = false;
  /** Bytes that had to wait and are sent now. */
  drainedBytes = 0;

  constructor(socket: Pick<Socket<unknown>, "write">, budget: ByteBudget) {
    this.#socket = socket;
    this.#budget = budget;
  }

  /** The client does not read: nothing more should be added until `drain` has sent the rest. */
  get isBlocked(): boolean {
    return this.#unsent !== undefined;
  }

  /** @param data ASCII when it is text. @returns false when the budget has no room for unsent bytes */
  add(data: string | Buffer): boolean {
    if (typeof data !== "string") return this.flush() && this.#write(data);
    this.#text = this.#text === "" ? data : this.#text + data;
    return this.#text.length < FLUSH_LENGTH || this.flush();
  }

  /** @returns false when the budget has no room for unsent bytes */
  flush(): boolean {
    if (this.#text === "") return true;
    const text = this.#text;
    this.#text = "";
    return this.#write(text);
  }

  /** The socket accepts bytes again. @returns false when the budget has no room for unsent bytes */
  drain(): boolean {
    const bytes = this.#unsent;
    this.#forget();
    if (bytes === undefined) return true;
    const isKept = this.#write(bytes);
    this.drainedBytes += bytes.length - this.#charged;
    return isKept;
  }

  /** Nothing is written any more. */
  close(): void {
    this.#isClosed = true;
    this.#text = "";
    this.#forget();
  }

  #write(data: string | Buffer): boolean {
    if (this.#isClosed) return true;
    if (this.#unsent !== undefined) return this.#keep(Buffer.concat([this.#unsent, toBytes(data)]));
    const written = Math.max(this.#socket.write(data), 0);
    return written >= data.length || this.#keep(toBytes(data).subarray(written));
  }

  #keep(bytes: Buffer): boolean {
    this.#forget();
    if (bytes.length > this.#budget.max / 2 || !this.#budget.take(bytes.length)) return false;
    this.#charged = bytes.length;
    this.#unsent = bytes;
    return true;
  }

  #forget(): void {
    this.#budget.release(this.#charged);
    this.#charged = 0;
    this.#unsent = undefined;
  }
}

function toBytes(data: string | Buffer): Buffer {
  return typeof data === "string" ? Buffer.from(data, "latin1") : data;
}
