// What goes out over a connection: answers of one turn together, and what the other side doesn't take yet.
import type { Socket } from "bun";
import type { ByteBudget } from "../byte-budget.ts";

/** Text of answers that is collected before it is written. */
const FLUSH_LENGTH = 64 * 1024;

export class Output {
  readonly #socket: Pick<Socket<unknown>, "write">;
  readonly #budget: ByteBudget;
  /** To be written at the end of this turn. ASCII. */
  #text = "";
  /** Written, and not taken by the socket yet. */
  #unsent: Buffer | undefined;
  /** Of `#unsent`, what counts against the budget. */
  #charged = 0;
  #isClosed = false;

  constructor(socket: Pick<Socket<unknown>, "write">, budget: ByteBudget) {
    this.#socket = socket;
    this.#budget = budget;
  }

  /** Nothing more should be added before `drain`: the other side doesn't read. */
  get isBlocked(): boolean {
    return this.#unsent !== undefined;
  }

  /** @param wire text is ASCII. @returns false when there is no room to keep it until it is taken */
  add(wire: string | Buffer): boolean {
    if (typeof wire !== "string") return this.flush() && this.#write(wire);
    this.#text = this.#text === "" ? wire : this.#text + wire;
    return this.#text.length < FLUSH_LENGTH || this.flush();
  }

  /** @returns false when there is no room to keep what isn't taken */
  flush(): boolean {
    if (this.#text === "") return true;
    const text = this.#text;
    this.#text = "";
    return this.#write(text);
  }

  /** There is room again. @returns false when there is still no room to keep what isn't taken */
  drain(): boolean {
    const bytes = this.#unsent;
    this.#forget();
    return bytes === undefined || this.#write(bytes);
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
    if (!this.#budget.take(bytes.length)) return false;
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
