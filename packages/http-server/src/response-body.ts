// The body of a Fetch `Response`: what of it is there at once, and then piece by piece.

type Piece = Uint8Array | ArrayBuffer | string;

interface Reader {
  read(): Promise<{ done: boolean; value?: Piece | undefined }>;
  cancel(): Promise<void>;
}

/** Up to so much is collected, to be sent with a Content-Length. More goes piece by piece, bytes. */
const MAX_COLLECTED_BYTES = 256 * 1024;

export class ResponseBody {
  readonly #reader: Reader;
  /** Asked for, and not waited for yet. */
  #pending: ReturnType<Reader["read"]> | undefined;

  constructor(stream: ReadableStream<Piece>) {
    this.#reader = stream.getReader();
  }

  /**
   * Collects what the stream gives in this turn of the event loop: all of a text or a buffer, nothing of a stream that waits.
   * @returns the pieces, and whether they are everything. Rejects with the stream's error
   */
  async collect(): Promise<{ pieces: Buffer[]; isComplete: boolean }> {
    const pieces: Buffer[] = [];
    const turn = new Promise<undefined>((resolve) => setImmediate(resolve, undefined));
    for (let bytes = 0; bytes <= MAX_COLLECTED_BYTES; ) {
      const result = this.#reader.read();
      const settled = await Promise.race([result, turn]);
      if (settled === undefined) {
        this.#pending = result;
        return { pieces, isComplete: false };
      }
      if (settled.done) return { pieces, isComplete: true };
      const piece = toBuffer(settled.value);
      bytes += piece.length;
      pieces.push(piece);
    }
    return { pieces, isComplete: false };
  }

  /** @returns the next piece; undefined at the end. Rejects with the stream's error */
  async next(): Promise<Buffer | undefined> {
    const result = this.#pending ?? this.#reader.read();
    this.#pending = undefined;
    const { done, value } = await result;
    return done ? undefined : toBuffer(value);
  }

  /** Nobody reads the rest: cancels the source. */
  cancel(): void {
    this.#pending?.catch(() => {});
    // A source that fails while it stops has nobody left to tell.
    this.#reader.cancel().catch(() => {});
  }
}

/** @throws TypeError when it is neither bytes nor text */
function toBuffer(piece: unknown): Buffer {
  if (typeof piece === "string") return Buffer.from(piece);
  if (piece instanceof ArrayBuffer) return Buffer.from(piece);
  if (ArrayBuffer.isView(piece)) return Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
  throw new TypeError("a piece of a streamed response is neither bytes nor text");
}
