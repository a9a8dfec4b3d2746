// Reads one body by its length or its chunks: keeps it, or discards it once it has its response.
import { Body } from "./body.ts";
import { BodyBuffer } from "./body-buffer.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { ChunkError, ChunkReader } from "./chunk-reader.ts";
import type { DiscardMeter } from "./discard-meter.ts";
import type { RequestGuard } from "./options.ts";
import type { Peer } from "./peer.ts";
import { type HttpRejection, payloadTooLarge, refused, tooManyBytesInFlight } from "./rejection.ts";
import { IncomingRequest } from "./request.ts";
import type { RequestHead } from "./request-head.ts";

/**
 * How much of an unwanted body is read and discarded, bytes: a client that is still sending when the connection is closed
 * loses the response too (RFC 9112, section 9.6). Beyond it the connection ends.
 */
const MAX_DISCARDED_BYTES = 32 * 1024 * 1024;

export class BodyReader {
  readonly request: IncomingRequest;
  isDone = false;
  /** Where the last `read` stopped: after the body when `isDone`, else at the end of the bytes. */
  end = 0;
  #isDiscarding = false;
  readonly #buffer: BodyBuffer;
  readonly #chunks: ChunkReader | undefined;
  readonly #maxBytes: number;
  readonly #discarded: DiscardMeter;
  /** Of a body of declared length. */
  #remaining: number;
  #received = 0;

  constructor(
    head: RequestHead,
    readonly guard: RequestGuard,
    budget: ByteBudget,
    discarded: DiscardMeter,
    peer: Peer,
  ) {
    const { maxBodyBytes } = guard;
    const { bodyLength } = head;
    this.request = new IncomingRequest(head, performance.now(), Body.EMPTY, peer);
    this.#maxBytes = maxBodyBytes;
    this.#discarded = discarded;
    this.#chunks = bodyLength === "chunked" ? new ChunkReader() : undefined;
    this.#remaining = bodyLength === "chunked" ? 0 : bodyLength;
    const capacity = bodyLength === "chunked" ? maxBodyBytes : Math.min(maxBodyBytes, bodyLength);
    this.#buffer = new BodyBuffer(budget, capacity);
  }

  /** Bytes of the content so far, also of what is discarded. */
  get received(): number {
    return this.#received;
  }

  /** The request has its response already; the rest of its body is discarded. */
  get isDiscarding(): boolean {
    return this.#isDiscarding;
  }

  /** The body is too large to be discarded. */
  get exceedsDiscardLimit(): boolean {
    return this.#remaining > MAX_DISCARDED_BYTES || this.#received > MAX_DISCARDED_BYTES;
  }

  /**
   * Reads from `at` on. Sets `end` and `isDone`.
   * @returns why the body is not usable, once that shows
   */
  read(bytes: Buffer, at: number): HttpRejection | undefined {
    return this.#chunks === undefined
      ? this.#readPlain(bytes, at)
      : this.#readChunks(this.#chunks, bytes, at);
  }

  discard(): void {
    this.#isDiscarding = true;
    this.release();
  }

  /** The complete request. Its body stays charged to the budget until `release`. */
  complete(): IncomingRequest {
    const { content } = this.#buffer;
    this.request.content = new Body(content, 0, content.length);
    return this.request;
  }

  release(): void {
    this.#buffer.release();
  }

  #readPlain(bytes: Buffer, at: number): HttpRejection | undefined {
    this.end = Math.min(bytes.length, at + this.#remaining);
    this.#remaining -= this.end - at;
    this.#received += this.end - at;
    this.isDone = this.#remaining === 0;
    return this.#keep(bytes, at, this.end);
  }

  #readChunks(chunks: ChunkReader, bytes: Buffer, at: number): HttpRejection | undefined {
    let rejection: HttpRejection | undefined;
    try {
      this.end = chunks.read(bytes, at, (from, to) => {
        this.#received += to - from;
        rejection ??= this.#keep(bytes, from, to);
      });
    } catch (error) {
      if (!(error instanceof ChunkError)) throw error;
      // As if the bytes had come one by one: what showed first is the reason.
      return rejection === undefined
        ? refused("bad_encoding", `The body can't be read: ${error.message}.`)
        : refused(rejection.code, rejection.detail);
    }
    this.isDone = chunks.isDone;
    return rejection;
  }

  #keep(bytes: Buffer, from: number, to: number): HttpRejection | undefined {
    if (this.#isDiscarding) {
      this.#discarded.add(to - from);
      return undefined;
    }
    if (this.#received > this.#maxBytes) return payloadTooLarge(this.#maxBytes);
    return this.#buffer.push(bytes, from, to) ? undefined : tooManyBytesInFlight();
  }
}
