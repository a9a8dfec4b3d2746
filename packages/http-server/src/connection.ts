// One connection: requests in, responses out in the same order; and when it ends.
import type { Socket } from "bun";
import type { BodyReader } from "./body-reader.ts";
import type { ConnectionContext } from "./context.ts";
import { Input } from "./input.ts";
import { Output } from "./output.ts";
import { ProxyHeaderReader } from "./proxy-header.ts";
import { HttpRejection, timedOut, tooSlow } from "./rejection.ts";
import type { IncomingRequest } from "./request.ts";
import { RequestReader, type RequestReaderEvents } from "./request-reader.ts";
import { Responder, type ResponderEvents } from "./responder.ts";
import type { LightResponse } from "./response.ts";
import { CLOSE, CONTINUE } from "./response-encoder.ts";

/** How long the client may take to read the last response before the connection is cut, ms. */
const LINGER_MS = 2_000;
/** Once the port is closed, a connection without a request for so long is shut: a request may be on its way, ms. */
const LAST_REQUEST_MS = 500;
/** Of a phase that no sweep has seen yet. */
const NOT_TIMED = 0;

/** What a connection beyond the limit is for: a health check, or a refusal. */
export interface Excess {
  readonly rejection: HttpRejection;
  onRefused(): void;
}

/** How long each phase of such a connection may take, ms. */
const EXCESS_TIMEOUT_MS = 1_000;

export class Connection implements RequestReaderEvents, ResponderEvents {
  readonly #context: ConnectionContext;
  readonly #socket: Socket<Connection>;
  readonly #reader: RequestReader;
  readonly #responder: Responder;
  readonly #output: Output;
  readonly #excess: Excess | undefined;
  /** The client has sent its last byte; it may still read. */
  #hasEnded = false;
  /** No request is read any more: the connection ends once everything is written. */
  #isClosing = false;
  /** Everything is written, and the sending side of the socket is closed. */
  #isShut = false;
  #isGone = false;
  /** The TLS handshake is not complete: nothing can be sent. */
  #isInHandshake: boolean;
  /** Set until the header of the proxy in front has come. */
  #proxyHeader: ProxyHeaderReader | undefined;
  /** Reported by that header, or by the system; once somebody has asked for it. */
  #clientAddress: string | undefined;
  /** When a sweep first saw the current phase: so no timeout is early, and the hot path reads no clock. */
  #sinceMs = NOT_TIMED;
  /** What the last sweep saw: the output was blocked. */
  #wasBlocked = false;
  /** How many bytes had moved at `#sinceMs`. */
  #movedBefore = 0;

  constructor(context: ConnectionContext, socket: Socket<Connection>, excess?: Excess) {
    this.#context = context;
    this.#socket = socket;
    this.#excess = excess;
    this.#isInHandshake = context.isTls;
    this.#output = new Output(socket, context.unsentBudget);
    this.#reader = new RequestReader(context, new Input(socket, context.budget), this);
    this.#responder = new Responder(context, this);
    if (context.expectsProxyHeader?.(socket.remoteAddress)) this.#proxyHeader = new ProxyHeaderReader();
  }

  get remoteAddress(): string {
    this.#clientAddress ??= this.#socket.remoteAddress;
    return this.#clientAddress;
  }

  /** A request has no response yet, or a response is not sent yet. */
  get isBusy(): boolean {
    return this.mustWait || this.#reader.isReceiving || this.#reader.isYielding;
  }

  // --- events of the socket ---

  onHandshake(isComplete: boolean): void {
    if (isComplete) {
      this.#isInHandshake = false;
      this.onProgress();
    } else this.#failHandshake();
  }

  #failHandshake(): void {
    // Bun reports the failure of one that is cut off, too.
    if (!this.#isInHandshake) return;
    this.#isInHandshake = false;
    this.#context.onFailedHandshake();
    this.terminate();
  }

  onData(chunk: Buffer): void {
    if (this.#isClosing) return;
    if (this.#proxyHeader !== undefined) this.#readProxyHeader(this.#proxyHeader, chunk);
    else this.#reader.read(chunk);
    this.#flush();
  }

  #readProxyHeader(reader: ProxyHeaderReader, chunk: Buffer): void {
    const result = reader.read(chunk);
    if (result === undefined) return;
    if (result instanceof HttpRejection) {
      this.onInvalid(result);
      return;
    }
    this.#proxyHeader = undefined;
    this.#clientAddress = result.header.address;
    this.onProgress();
    this.#reader.read(result.rest);
  }

  onDrain(): void {
    if (!this.#output.isBlocked) return;
    if (!this.#output.drain()) this.terminate();
    else if (this.#output.isBlocked) return;
    else if (this.#isClosing) this.#shut();
    else if (this.#responder.isPending) this.#responder.resume();
    else this.#resumeReading();
  }

  onEnd(): void {
    this.#hasEnded = true;
    // The rest of a body will never come.
    if (this.#reader.phase === "body" || !this.isBusy) this.#shut();
  }

  onClose(): void {
    this.#isGone = true;
    this.#isClosing = true;
    this.#output.close();
    this.#reader.close();
    this.#responder.close();
  }

  // --- calls of the server ---

  /** Cuts the connection. */
  terminate(): void {
    this.#socket.terminate();
    this.onClose();
  }

  /** However long it has been idle, a request may be on its way: the time until it is shut begins now. */
  onPortClosed(): void {
    if (!this.isBusy && this.#reader.phase === "idle") this.#sinceMs = NOT_TIMED;
  }

  /** Acts on a phase that takes too long. */
  sweep(nowMs: number): void {
    // The system reports room in the socket late; a slow reader's progress shows sooner.
    if (this.#output.isBlocked) this.onDrain();
    if (this.#isGone) return;
    const { isBlocked } = this.#output;
    if (this.#sinceMs === NOT_TIMED || isBlocked !== this.#wasBlocked) {
      this.#sinceMs = nowMs;
      this.#wasBlocked = isBlocked;
      this.#movedBefore = this.#movedBytes;
    }
    const waitedMs = nowMs - this.#sinceMs;
    const { timeouts, isPortClosed } = this.#context;
    const { bodyTimeoutMs, sendTimeoutMs, headTimeoutMs, idleTimeoutMs } = timeouts;
    if (this.#isInHandshake) {
      const limitMs = this.#excess === undefined ? headTimeoutMs : EXCESS_TIMEOUT_MS;
      if (waitedMs >= (isPortClosed ? Math.min(LAST_REQUEST_MS, limitMs) : limitMs)) this.#endSlowHandshake();
      return;
    }
    if (this.#isShut) {
      if (waitedMs >= LINGER_MS) this.terminate();
      return;
    }
    if (isBlocked) {
      if (waitedMs >= sendTimeoutMs && !this.#hasMoved(nowMs)) this.terminate();
      return;
    }
    if (this.#responder.isPending) {
      this.#sweepStream(isPortClosed);
      return;
    }
    if (this.#excess !== undefined && waitedMs >= EXCESS_TIMEOUT_MS) {
      this.#refuseExcess(this.#excess);
      return;
    }
    if (this.#proxyHeader !== undefined) {
      if (waitedMs >= headTimeoutMs)
        this.onInvalid(timedOut("The header of the PROXY protocol", headTimeoutMs));
      return;
    }
    switch (this.#reader.phase) {
      case "body":
        if (waitedMs >= bodyTimeoutMs && !this.#hasMoved(nowMs))
          this.#endLateBody(tooSlow(timeouts.minBodyRate, bodyTimeoutMs));
        return;
      case "head":
        if (waitedMs >= headTimeoutMs) this.onInvalid(timedOut("The head", headTimeoutMs));
        return;
      default:
        if (waitedMs >= (isPortClosed ? Math.min(LAST_REQUEST_MS, idleTimeoutMs) : idleTimeoutMs))
          this.#shut();
    }
  }

  #endSlowHandshake(): void {
    this.#excess?.onRefused();
    this.#failHandshake();
  }

  #sweepStream(isPortClosed: boolean): void {
    // A stream that pauses would not notice that its client is gone: that looks the same as a client that only listens.
    if (this.#hasEnded && this.#responder.isStreaming) this.terminate();
    else if (isPortClosed) this.#responder.endEvents();
  }

  /** Bytes of the response that is not read, or else of the body that is coming. */
  get #movedBytes(): number {
    return this.#output.isBlocked ? this.#output.drainedBytes : this.#reader.receivedBodyBytes;
  }

  /** Begins another time of waiting. @returns whether enough bytes have moved in the one that is over */
  #hasMoved(nowMs: number): boolean {
    const seconds = (nowMs - this.#sinceMs) / 1_000;
    const moved = this.#movedBytes - this.#movedBefore;
    this.#sinceMs = nowMs;
    this.#movedBefore += moved;
    return moved >= Math.max(1, this.#context.timeouts.minBodyRate * seconds);
  }

  #endLateBody(rejection: HttpRejection): void {
    if (this.#reader.refuseBody(rejection)) this.#flush();
    else this.terminate();
  }

  // --- events of the request reader ---

  get isClosing(): boolean {
    return this.#isClosing;
  }

  get mustWait(): boolean {
    return this.#responder.isPending || this.#output.isBlocked;
  }

  onProgress(): void {
    this.#sinceMs = NOT_TIMED;
  }

  onRequest(request: IncomingRequest, body: BodyReader | undefined): void {
    if (this.#excess !== undefined && !this.#context.dispatcher.isProbe(request.head)) {
      body?.release();
      if (request.isAdmitted) this.#context.dispatcher.guardOf(request.head).onAbort(request);
      this.#refuseExcess(this.#excess);
    } else this.#responder.handle(request, body);
  }

  #refuseExcess({ rejection, onRefused }: Excess): void {
    onRefused();
    this.onInvalid(rejection);
  }

  onExpectContinue(): void {
    this.#send(CONTINUE);
  }

  onRefused(response: LightResponse, request: IncomingRequest, keepAlive: boolean): void {
    this.#responder.respond(response, request, keepAlive);
  }

  onInvalid(rejection: HttpRejection): void {
    const { dispatcher, encoder } = this.#context;
    const response = dispatcher.finish(dispatcher.reject(rejection), undefined, this);
    this.onResponse(encoder.encode(response, CLOSE, this.#reader.isHeadRequest), false);
  }

  onEndless(): void {
    this.#shut();
  }

  onYield(): void {
    setImmediate(() => this.#resumeReading());
  }

  // --- events of the responder ---

  /** Requests that arrived before the client can learn of the stop still get their responses. */
  get isLastResponse(): boolean {
    return (
      this.#reader.isCutOff ||
      this.#excess !== undefined ||
      (this.#context.isStopping && !this.#reader.hasUnread)
    );
  }

  get isBlocked(): boolean {
    return this.#output.isBlocked;
  }

  onPiece(data: string | Buffer): void {
    this.#send(data);
    this.#flush();
    if (!this.#output.isBlocked) this.#sinceMs = NOT_TIMED;
  }

  onBroken(): void {
    this.terminate();
  }

  onResponse(data: string | Buffer, keepAlive: boolean): void {
    this.#send(data);
    // A client that does not read is timed from where it stopped.
    if (!this.#output.isBlocked) this.#sinceMs = NOT_TIMED;
    if (!keepAlive) this.#shut();
  }

  onSettled(): void {
    this.#resumeReading();
  }

  /** After a pending response, or when the socket accepts bytes again. */
  #resumeReading(): void {
    if (this.#isGone) return;
    this.#reader.resume();
    this.#flush();
    if ((this.#hasEnded || this.#reader.isCutOff) && !this.isBusy) this.#shut();
  }

  // --- writing ---

  #send(data: string | Buffer): void {
    if (!this.#output.add(data)) this.terminate();
  }

  #flush(): void {
    if (!this.#output.flush()) this.terminate();
  }

  /** Reads no more requests, and closes the sending side once everything is written. */
  #shut(): void {
    this.#isClosing = true;
    this.#reader.close();
    this.#flush();
    if (this.#output.isBlocked || this.#isShut || this.#isGone) return;
    this.#isShut = true;
    this.#sinceMs = NOT_TIMED;
    if (this.#hasEnded) this.#socket.end();
    else this.#socket.shutdown();
  }
}
