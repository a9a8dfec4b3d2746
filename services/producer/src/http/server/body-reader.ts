// A body on its way: read by its length or its chunks, kept while it is wanted, thrown away once it isn't.
import { payloadTooLarge, type Rejection, tooManyBytesInFlight } from "../../rejection.ts";
import type { ByteBudget } from "../byte-budget.ts";
import { Body, IncomingRequest } from "../request.ts";
import { BodyBuffer } from "./body-buffer.ts";
import { ChunkReader } from "./chunk-reader.ts";
import type { RequestHead } from "./head.ts";
import type { RequestGuard } from "./server.ts";

/**
 * What is left of a body that isn't wanted is read and thrown away up to here, bytes: a connection that is closed under
 * a sender loses the answer too (RFC 9112, section 9.6). Beyond it the connection ends.
 */
const DRAIN_BYTES = 32 * 1024 * 1024;

export class BodyReader {
  readonly request: IncomingRequest;
  /** It has its answer already: what still comes is thrown away. */
  isAnswered = false;
  isDone = false;
  readonly #buffer: BodyBuffer;
  readonly #chunks: ChunkReader | undefined;
  readonly #maxBytes: number;
  /** Of a body of known length. */
  #left: number;
  #received = 0;

  constructor(
    head: RequestHead,
    readonly gate: RequestGuard,
    budget: ByteBudget,
  ) {
    const maxBytes = gate.maxBodyBytes;
    this.request = new IncomingRequest(head, performance.now(), Body.EMPTY);
    this.#maxBytes = maxBytes;
    const { bodyLength } = head;
    if (bodyLength === "chunked") this.#chunks = new ChunkReader();
    this.#left = bodyLength === "chunked" ? 0 : bodyLength;
    this.#buffer = new BodyBuffer(
      budget,
      bodyLength === "chunked" ? maxBytes : Math.min(maxBytes, bodyLength),
    );
  }

  /** Is too much to come for it to be waited for? */
  get isEndless(): boolean {
    return this.#left > DRAIN_BYTES || this.#received > DRAIN_BYTES;
  }

  /**
   * Reads from `at` on.
   * @returns where the body ended, or the bytes did; and why it isn't wanted, when that shows here
   * @throws ChunkError
   */
  read(bytes: Buffer, at: number): { at: number; rejection: Rejection | undefined } {
    let rejection: Rejection | undefined;
    const take = (from: number, to: number) => {
      this.#received += to - from;
      if (!this.isAnswered) rejection ??= this.#keep(bytes, from, to);
    };
    if (this.#chunks !== undefined) {
      const stopped = this.#chunks.read(bytes, at, take);
      this.isDone = this.#chunks.isDone;
      return { at: stopped, rejection };
    }
    const end = Math.min(bytes.length, at + this.#left);
    take(at, end);
    this.#left -= end - at;
    this.isDone = this.#left === 0;
    return { at: end, rejection };
  }

  #keep(bytes: Buffer, from: number, to: number): Rejection | undefined {
    if (this.#received > this.#maxBytes) return payloadTooLarge(this.#maxBytes);
    return this.#buffer.push(bytes, from, to) ? undefined : tooManyBytesInFlight();
  }

  /** The request, whole. Its body still counts against the budget until `release`. */
  complete(): IncomingRequest {
    const { content } = this.#buffer;
    this.request.body = new Body(content, 0, content.length);
    return this.request;
  }

  release(): void {
    this.#buffer.release();
  }
}
