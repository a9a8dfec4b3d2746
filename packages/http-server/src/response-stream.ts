// Sends a body piece by piece, no faster than the client reads: while the output is blocked, nothing is read from the source.
import type { ResponseBody } from "./response-body.ts";

/** How the client finds the end: by the declared length in bytes, by the last chunk, or by the end of the connection. */
export type Framing = number | "chunked" | "close";

export interface StreamTarget {
  /** The client does not read: no piece is wanted until `resume`. */
  readonly isBlocked: boolean;
  onPiece(data: string | Buffer): void;
}

/** So much is handed to the output at once, however large the pieces are, bytes. */
const MAX_SLICE_BYTES = 256 * 1024;
const LAST_CHUNK = "0\r\n\r\n";

export class ResponseStream {
  readonly #body: ResponseBody;
  readonly #framing: Framing;
  readonly #target: StreamTarget;
  /** Of a declared length. */
  #remaining: number;
  #onDrain: (() => void) | undefined;
  #state: "open" | "ended" | "cancelled" = "open";

  constructor(body: ResponseBody, framing: Framing, target: StreamTarget) {
    this.#body = body;
    this.#framing = framing;
    this.#target = target;
    this.#remaining = typeof framing === "number" ? framing : 0;
  }

  /** Its end is not known in advance. */
  get isOpenEnded(): boolean {
    return typeof this.#framing !== "number";
  }

  /**
   * @param first pieces that are there already
   * @param onError called when the source fails, or gives more than it declared, before the client is gone
   * @returns whether the body is complete. Otherwise the client must not take it for complete
   */
  async send(first: readonly Buffer[], onError: (error: unknown) => void): Promise<boolean> {
    try {
      for (const piece of first) await this.#write(piece);
      while (this.#state === "open") {
        if (this.#target.isBlocked) await this.#untilDrained();
        const piece = this.#state === "open" ? await this.#body.next() : undefined;
        if (this.#state !== "open") break;
        if (piece === undefined) this.#state = "ended";
        else await this.#write(piece);
      }
    } catch (error) {
      // The head is sent: no other response can be given.
      if (this.#state === "open") onError(error);
      this.cancel();
    }
    if (this.#state !== "ended" || this.#remaining !== 0) return false;
    if (this.#framing === "chunked") this.#target.onPiece(LAST_CHUNK);
    return true;
  }

  /** The output accepts bytes again. */
  resume(): void {
    this.#onDrain?.();
    this.#onDrain = undefined;
  }

  /** Ends the body here, as complete. */
  end(): void {
    this.#stop("ended");
  }

  /** The client is gone. */
  cancel(): void {
    this.#stop("cancelled");
  }

  #stop(state: "ended" | "cancelled"): void {
    if (this.#state !== "open") return;
    this.#state = state;
    this.#body.cancel();
    this.resume();
  }

  #untilDrained(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDrain = resolve;
    });
  }

  /** Writes nothing for a piece without bytes, which would be the last chunk. */
  async #write(piece: Buffer): Promise<void> {
    for (let at = 0; at < piece.length; at += MAX_SLICE_BYTES) {
      if (this.#target.isBlocked) await this.#untilDrained();
      if (this.#state !== "open") return;
      this.#writeSlice(piece.subarray(at, at + MAX_SLICE_BYTES));
    }
  }

  #writeSlice(piece: Buffer): void {
    if (this.#framing === "chunked")
      this.#target.onPiece(
        Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")]),
      );
    else if (this.#framing === "close") this.#target.onPiece(piece);
    else {
      this.#remaining -= piece.length;
      if (this.#remaining < 0) throw new RangeError("a response is longer than its Content-Length");
      this.#target.onPiece(piece);
    }
  }
}
