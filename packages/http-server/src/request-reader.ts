// The reading half of a connection: bytes become requests, which are handed on one after the other.
import { Body } from "./body.ts";
import { BodyReader } from "./body-reader.ts";
import type { ConnectionContext } from "./context.ts";
import { hasHeadBegun, hasHeadMethod } from "./head-reader.ts";
import type { Input } from "./input.ts";
import type { Peer } from "./peer.ts";
import { HttpRejection, payloadTooLarge, tooManyBytesInFlight } from "./rejection.ts";
import { IncomingRequest } from "./request.ts";
import type { RequestHead } from "./request-head.ts";
import type { LightResponse } from "./response.ts";

/** So many requests of one connection are handled in a turn of the event loop: then others have theirs. */
const MAX_REQUESTS_PER_TURN = 64;

/** What the reader needs from its connection, and reports to it. */
export interface RequestReaderEvents extends Peer {
  /** No request is read any more. */
  readonly isClosing: boolean;
  /** The next request has to wait for a response before it. */
  readonly mustWait: boolean;
  /** A head has begun, or a body, or the end of a refused body has come. */
  onProgress(): void;
  /** @param body where the request's body came from, to be released with the response; undefined when it holds nothing */
  onRequest(request: IncomingRequest, body: BodyReader | undefined): void;
  /** The client waits for a 100 before it sends the body. */
  onExpectContinue(): void;
  /**
   * The request is refused while its body is still coming.
   * @param keepAlive the end of the body will be recognised
   */
  onRefused(response: LightResponse, request: IncomingRequest, keepAlive: boolean): void;
  /** The bytes are not a request: nothing after them can be read. */
  onInvalid(rejection: HttpRejection): void;
  /** A body that was refused already has no end worth waiting for. */
  onEndless(): void;
  /** More requests are here, and it is others' turn: `resume` is to be called in the next turn of the event loop. */
  onYield(): void;
}

export class RequestReader {
  readonly #context: ConnectionContext;
  readonly #input: Input;
  readonly #events: RequestReaderEvents;
  /** Of the head that is coming; they are held, and have been checked. */
  #headBytes = 0;
  #isHeadRequest = false;
  #body: BodyReader | undefined;
  /** More bytes came with the request that was handed on last. */
  #hasMore = false;
  /** There was no room for bytes after a request: none of them can be read. */
  #isCutOff = false;
  #isYielding = false;

  constructor(context: ConnectionContext, input: Input, events: RequestReaderEvents) {
    this.#context = context;
    this.#input = input;
    this.#events = events;
  }

  /** What has begun and is not complete. */
  get phase(): "idle" | "head" | "body" {
    if (this.#body !== undefined) return "body";
    return this.#headBytes > 0 ? "head" : "idle";
  }

  /** The head that is coming, or was invalid, has the method HEAD: the response has no body. */
  get isHeadRequest(): boolean {
    return this.#isHeadRequest;
  }

  /** A body is coming, and its request has no response yet. */
  get isReceiving(): boolean {
    return this.#body?.isDiscarding === false;
  }

  /** Bytes have arrived after the request that was handed on last. */
  get hasUnread(): boolean {
    return this.#hasMore || this.#input.isHolding;
  }

  /** Bytes after the request that was handed on last had to be dropped: its response is the last. */
  get isCutOff(): boolean {
    return this.#isCutOff;
  }

  /** Requests are here that wait for the next turn of the event loop only. */
  get isYielding(): boolean {
    return this.#isYielding;
  }

  /** Bytes of the body that is coming, so far. */
  get receivedBodyBytes(): number {
    return this.#body?.received ?? 0;
  }

  read(chunk: Buffer): void {
    this.#consume(this.#input.join(chunk));
  }

  /** The response that the next request had to wait for has been given, or it is this connection's turn again. */
  resume(): void {
    this.#isYielding = false;
    const held = this.#input.resume();
    if (held !== undefined) this.#consume(held);
  }

  /** Refuses the request whose body is coming. @returns false when it was refused already */
  refuseBody(rejection: HttpRejection): boolean {
    if (!this.isReceiving) return false;
    this.#refuse(this.#body!, rejection);
    return true;
  }

  /** Nothing is read any more. */
  close(): void {
    this.#input.clear();
    const body = this.#body;
    this.#body = undefined;
    if (body === undefined) return;
    body.release();
    if (!body.isDiscarding) body.guard.onAbort(body.request);
  }

  #consume(bytes: Buffer): void {
    if (this.#isCutOff) return;
    const events = this.#events;
    let at = 0;
    for (let steps = 0; at < bytes.length && !events.isClosing; steps++) {
      if (events.mustWait) {
        this.#isCutOff = !this.#input.hold(bytes, at);
        if (!this.#isCutOff) this.#input.pause();
        return;
      }
      // Without room for the rest it is handled at once.
      if (steps >= MAX_REQUESTS_PER_TURN && this.#input.hold(bytes, at)) {
        this.#input.pause();
        this.#isYielding = true;
        events.onYield();
        return;
      }
      at = this.#body === undefined ? this.#readHead(bytes, at) : this.#readBody(this.#body, bytes, at);
    }
  }

  /** @returns where to read on */
  #readHead(bytes: Buffer, start: number): number {
    const { heads } = this.#context;
    const head = heads.read(bytes, start, this.#headBytes);
    const at = heads.end;
    if (head === undefined) {
      this.#waitForHead(bytes, at);
      return bytes.length;
    }
    this.#headBytes = 0;
    if (head instanceof HttpRejection) {
      this.#isHeadRequest = hasHeadMethod(bytes, heads.start);
      this.#events.onInvalid(head);
      return bytes.length;
    }
    const { bodyLength } = head;
    if (bodyLength === "chunked" || bodyLength > bytes.length - at) {
      this.#expectBody(head);
      return at;
    }
    // Nearly always the whole body is here already.
    const end = at + bodyLength;
    this.#hasMore = end < bytes.length;
    this.#events.onRequest(
      new IncomingRequest(head, performance.now(), new Body(bytes, at, end), this.#events),
      undefined,
    );
    return end;
  }

  #waitForHead(bytes: Buffer, at: number): void {
    const hasBegun = hasHeadBegun(bytes, at);
    if (hasBegun && this.#headBytes === 0) this.#events.onProgress();
    this.#headBytes = hasBegun ? bytes.length - at : 0;
    this.#isHeadRequest = hasHeadMethod(bytes, at);
    if (at < bytes.length && !this.#input.hold(bytes, at)) this.#events.onInvalid(tooManyBytesInFlight());
  }

  #expectBody(head: RequestHead): void {
    const { dispatcher, budget, discarded } = this.#context;
    const guard = dispatcher.guardOf(head);
    const { maxBodyBytes } = guard;
    const body = new BodyReader(head, guard, budget, discarded, this.#events);
    const { bodyLength, expectsContinue } = head;
    const refusal =
      guard.admit(body.request) ??
      (bodyLength !== "chunked" && bodyLength > maxBodyBytes
        ? guard.reject(body.request, payloadTooLarge(maxBodyBytes))
        : undefined);
    this.#body = body;
    this.#hasMore = false;
    this.#events.onProgress();
    if (refusal !== undefined) {
      body.discard();
      // After such a response a client that expects a 100 may send the body or not: what comes next is ambiguous.
      this.#events.onRefused(refusal, body.request, !expectsContinue && !body.exceedsDiscardLimit);
    } else if (expectsContinue) this.#events.onExpectContinue();
  }

  /** @returns where to read on */
  #readBody(body: BodyReader, bytes: Buffer, start: number): number {
    const rejection = body.read(bytes, start);
    if (rejection !== undefined && !body.isDiscarding) this.#refuse(body, rejection);
    else if (rejection !== undefined || (body.isDiscarding && body.exceedsDiscardLimit))
      this.#events.onEndless();
    if (!body.isDone) return body.end;
    this.#body = undefined;
    this.#hasMore = body.end < bytes.length;
    if (body.isDiscarding) this.#events.onProgress();
    else this.#events.onRequest(body.complete(), body);
    return body.end;
  }

  #refuse(body: BodyReader, rejection: HttpRejection): void {
    body.discard();
    const { guard, request } = body;
    const response = guard.reject(request, rejection);
    this.#events.onRefused(response, request, !rejection.closes && !body.exceedsDiscardLimit);
  }
}
