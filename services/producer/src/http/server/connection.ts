// One connection: bytes in, requests to their handlers in the order in which they came, answers out in that order.
import type { Socket } from "bun";
import { Rejection } from "../../rejection.ts";
import { Answer } from "../answer.ts";
import { toProblemAnswer } from "../reply.ts";
import { Body, IncomingRequest } from "../request.ts";
import { tooLarge } from "../too-large.ts";
import { Arrival } from "./arrival.ts";
import type { RequestHead } from "./head.ts";
import type { HeadCache } from "./head-cache.ts";
import type { Gate, HttpServerContext } from "./server.ts";
import { CONTINUE, responseToWire, toWire } from "./wire.ts";

export const MAX_HEAD_BYTES = 16 * 1024;
const HEAD_END = Buffer.from("\r\n\r\n");
const CR = 0x0d;
const LF = 0x0a;
/** Of requests sent ahead of an answer so much is held; then nothing more is read until the answer is there. */
const MAX_HELD_BYTES = 64 * 1024;
/** How long the other side has to take the last answer before the connection is cut, ms. */
const LINGER_MS = 2_000;

type LatinBuffer = Buffer & { latin1Slice(start: number, end: number): string };

export class Connection {
  readonly #context: HttpServerContext;
  readonly #heads: HeadCache;
  readonly #socket: Socket<Connection>;
  /** Came, and wasn't looked at yet. */
  #held: Buffer | undefined;
  #arrival: Arrival | undefined;
  /** A request is with its handler, which makes us wait. */
  #isAnswering = false;
  /** To be written at the end of this turn. */
  #out = "";
  /** Written, and not taken by the socket yet. */
  #unsent: Buffer | undefined;
  /** No request is read any more: the connection ends once all is written. */
  #isClosing = false;
  #isShut = false;
  #isGone = false;
  /** The other side sends no more; it may still read. */
  #hasEnded = false;
  #isPaused = false;
  /** The beginning of a head is here, and waits for the rest. */
  #hasPartOfHead = false;
  /** When it came to be as it is, by the server's clock. */
  #sinceMs: number;

  constructor(context: HttpServerContext, heads: HeadCache, socket: Socket<Connection>) {
    this.#context = context;
    this.#heads = heads;
    this.#socket = socket;
    this.#sinceMs = context.clockMs;
  }

  /** Is there a request without its answer? */
  get isBusy(): boolean {
    return this.#isAnswering || this.#arrival?.isAnswered === false || this.#unsent !== undefined;
  }

  // --- what the socket tells ---

  onData(chunk: Buffer): void {
    if (this.#isClosing) return;
    const bytes = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = undefined;
    this.#consume(bytes);
    this.#flush();
  }

  onDrain(): void {
    const bytes = this.#unsent;
    if (bytes === undefined) return;
    this.#unsent = undefined;
    this.#write(bytes);
    if (this.#unsent !== undefined) return;
    if (this.#isClosing) this.#shut();
    else this.#goOn();
  }

  onEnd(): void {
    this.#hasEnded = true;
    // What would complete a body doesn't come any more.
    if (this.#arrival !== undefined || !this.isBusy) this.#shut();
  }

  onClose(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#isClosing = true;
    this.#dropArrival(new Rejection("bad_encoding", "The body broke off."));
    this.#held = undefined;
    this.#unsent = undefined;
  }

  // --- what the server asks for ---

  /** Ends it as soon as what is under way is answered. */
  close(): void {
    if (!this.isBusy) this.#shut();
  }

  terminate(): void {
    this.#socket.terminate();
    this.onClose();
  }

  /** Looks whether something has taken too long. */
  sweep(nowMs: number): void {
    const waitedMs = nowMs - this.#sinceMs;
    const { bodyTimeoutMs, headTimeoutMs, idleTimeoutMs } = this.#context;
    if (this.#isShut) {
      if (waitedMs >= LINGER_MS) this.terminate();
    } else if (this.#unsent !== undefined) {
      if (waitedMs >= idleTimeoutMs) this.terminate();
    } else if (this.#isAnswering) {
      return;
    } else if (this.#arrival !== undefined) {
      if (waitedMs >= bodyTimeoutMs) this.#refuseLate(`The body did not arrive within ${bodyTimeoutMs} ms.`);
    } else if (this.#hasPartOfHead) {
      if (waitedMs >= headTimeoutMs) this.#refuseLate(`The head did not arrive within ${headTimeoutMs} ms.`);
    } else if (waitedMs >= idleTimeoutMs) this.#shut();
  }

  #refuseLate(detail: string): void {
    const rejection = new Rejection("request_timeout", detail, { closes: true });
    if (this.#arrival?.isAnswered) this.terminate();
    else {
      this.#answer(this.#dropArrival(rejection) ?? this.#refuse(rejection), false);
      this.#flush();
    }
  }

  // --- reading ---

  #consume(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.#isClosing) {
      if (this.#isAnswering || this.#unsent !== undefined) {
        this.#hold(bytes, at);
        return;
      }
      at = this.#arrival === undefined ? this.#readHead(bytes, at) : this.#readBody(this.#arrival, bytes, at);
    }
  }

  #hold(bytes: Buffer, at: number): void {
    this.#held = at === 0 ? bytes : bytes.subarray(at);
    if (this.#held.length <= MAX_HELD_BYTES || this.#isPaused) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  /** After an answer, or when there is room to write again: takes up what was held. */
  #goOn(): void {
    if (this.#isGone) return;
    if (this.#isPaused) {
      this.#isPaused = false;
      this.#socket.resume();
    }
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#consume(held);
    this.#flush();
    if ((this.#hasEnded || this.#context.isStopping) && !this.isBusy) this.#shut();
  }

  #readHead(bytes: Buffer, start: number): number {
    let at = start;
    // RFC 9112, section 2.2: an empty line before a request is passed over.
    if (bytes[at] === CR && bytes[at + 1] === LF) at += 2;
    const end = bytes.indexOf(HEAD_END, at);
    if (end < 0 || end - at > MAX_HEAD_BYTES) {
      if (end >= 0 || bytes.length - at > MAX_HEAD_BYTES)
        this.#answer(
          this.#refuse(
            new Rejection("head_too_large", `The head has more than ${MAX_HEAD_BYTES} bytes.`, {
              closes: true,
            }),
          ),
          false,
        );
      else {
        if (!this.#hasPartOfHead) this.#sinceMs = this.#context.clockMs;
        this.#hasPartOfHead = true;
        this.#held = at === 0 ? bytes : bytes.subarray(at);
      }
      return bytes.length;
    }
    this.#hasPartOfHead = false;
    const head = this.#heads.read((bytes as LatinBuffer).latin1Slice(at, end));
    if (head instanceof Rejection) {
      this.#answer(this.#refuse(head), false);
      return bytes.length;
    }
    const bodyStart = end + HEAD_END.length;
    const { bodyLength } = head;
    if (bodyLength !== "chunked" && bodyLength <= bytes.length - bodyStart) {
      // Nearly always all of it is here.
      const bodyEnd = bodyStart + bodyLength;
      this.#handle(new IncomingRequest(head, performance.now(), new Body(bytes, bodyStart, bodyEnd)));
      return bodyEnd;
    }
    this.#expect(head);
    return bodyStart;
  }

  /** The head is here, the body is still to come. */
  #expect(head: RequestHead): void {
    const gate = this.#context.gateOf(head);
    const arrival = new Arrival(head, gate.maxBodyBytes, this.#context.budget);
    this.#arrival = arrival;
    this.#sinceMs = this.#context.clockMs;
    const { bodyLength, expectsContinue } = head;
    const isTooLarge = bodyLength !== "chunked" && bodyLength > gate.maxBodyBytes;
    const refusal =
      gate.admit(arrival.request) ??
      (isTooLarge ? gate.giveUp(arrival.request, tooLarge(gate.maxBodyBytes)) : undefined);
    if (refusal !== undefined) {
      arrival.isAnswered = true;
      // Whether a body comes after such an answer is the client's choice, so nobody could tell what comes next.
      this.#answer(refusal, head.keepsAlive && !expectsContinue && !arrival.isEndless);
    } else if (expectsContinue) this.#out += CONTINUE;
  }

  #readBody(arrival: Arrival, bytes: Buffer, start: number): number {
    let read: ReturnType<Arrival["read"]>;
    try {
      read = arrival.read(bytes, start);
    } catch (error) {
      const detail = `The body can't be read: ${(error as Error).message}.`;
      const answer = this.#dropArrival(new Rejection("bad_encoding", detail, { closes: true }));
      if (answer === undefined) this.#shut();
      else this.#answer(answer, false);
      return bytes.length;
    }
    if (read.rejection !== undefined) {
      arrival.isAnswered = true;
      arrival.release();
      const { request } = arrival;
      const answer = this.#gateOf(arrival).giveUp(request, read.rejection);
      this.#answer(answer, request.head.keepsAlive && !arrival.isEndless);
    } else if (arrival.isAnswered && arrival.isEndless) this.#shut();
    if (!arrival.isDone) return read.at;
    this.#arrival = undefined;
    if (!arrival.isAnswered) this.#handle(arrival.complete(), arrival);
    return read.at;
  }

  #gateOf({ request }: Arrival): Gate {
    return this.#context.gateOf(request.head);
  }

  /** The body isn't waited for any more. @returns the answer, where there was none yet */
  #dropArrival(rejection: Rejection): Answer | undefined {
    const arrival = this.#arrival;
    this.#arrival = undefined;
    if (arrival === undefined) return undefined;
    arrival.release();
    return arrival.isAnswered ? undefined : this.#gateOf(arrival).giveUp(arrival.request, rejection);
  }

  // --- answering ---

  #handle(request: IncomingRequest, arrival?: Arrival): void {
    const result = this.#context.handle(request);
    if (result instanceof Answer) {
      arrival?.release();
      this.#answer(result, request.head.keepsAlive);
      return;
    }
    this.#isAnswering = true;
    void this.#answerLater(result, request, arrival);
  }

  async #answerLater(
    result: Response | Promise<Answer | Response>,
    request: IncomingRequest,
    arrival: Arrival | undefined,
  ): Promise<void> {
    const { keepsAlive } = request.head;
    try {
      const settled = await result;
      if (settled instanceof Answer) this.#answer(settled, keepsAlive);
      else {
        const goesOn = keepsAlive && !this.#context.isStopping;
        const bytes = await responseToWire(settled, !goesOn, request.method === "HEAD");
        this.#write(bytes);
        this.#after(goesOn);
      }
    } catch (error) {
      this.#answer(this.#context.answerFault(error), false);
    }
    arrival?.release();
    this.#isAnswering = false;
    this.#goOn();
  }

  /** Refuses what never got to a handler. */
  #refuse(rejection: Rejection): Answer {
    const answer = toProblemAnswer(rejection);
    this.#context.onRefused(answer.status);
    return answer;
  }

  #answer(answer: Answer, keepsAlive: boolean): void {
    const goesOn = keepsAlive && !answer.closes && !this.#context.isStopping;
    const wire = toWire(answer, !goesOn);
    if (typeof wire === "string") this.#out = this.#out === "" ? wire : this.#out + wire;
    else this.#write(wire);
    this.#after(goesOn);
  }

  #after(goesOn: boolean): void {
    this.#sinceMs = this.#context.clockMs;
    if (!goesOn) this.#shut();
  }

  // --- writing ---

  /** No more requests; the other side may still read what it was sent. */
  #shut(): void {
    this.#isClosing = true;
    this.#held = undefined;
    this.#dropArrival(new Rejection("shutting_down", "The connection ends."));
    this.#flush();
    if (this.#unsent !== undefined || this.#isShut || this.#isGone) return;
    this.#isShut = true;
    this.#sinceMs = this.#context.clockMs;
    if (this.#hasEnded) this.#socket.end();
    else this.#socket.shutdown();
  }

  #flush(): void {
    if (this.#out === "") return;
    const text = this.#out;
    this.#out = "";
    if (this.#unsent !== undefined) this.#unsent = Buffer.concat([this.#unsent, Buffer.from(text, "latin1")]);
    else if (!this.#isGone) this.#keepUnsent(text, this.#socket.write(text));
  }

  #write(bytes: Buffer): void {
    this.#flush();
    if (this.#isGone) return;
    if (this.#unsent !== undefined) this.#unsent = Buffer.concat([this.#unsent, bytes]);
    else this.#keepUnsent(bytes, this.#socket.write(bytes));
  }

  #keepUnsent(data: string | Buffer, written: number): void {
    if (written >= data.length || this.#isGone) return;
    const bytes = typeof data === "string" ? Buffer.from(data, "latin1") : data;
    this.#unsent = bytes.subarray(Math.max(written, 0));
    this.#sinceMs = this.#context.clockMs;
  }
}
