// One connection: bytes in, requests to their handlers in the order in which they came, answers out in that order.
import type { Socket } from "bun";
import { payloadTooLarge, Rejection } from "../../rejection.ts";
import { Body, IncomingRequest } from "../request.ts";
import { LightResponse } from "../response.ts";
import { BodyReader } from "./body-reader.ts";
import type { RequestHead } from "./head.ts";
import type { HeadCache } from "./head-cache.ts";
import { Output } from "./output.ts";
import { CONTINUE, responseToWire, toWire } from "./response-encoder.ts";
import type { HttpServerContext } from "./server.ts";

const MAX_HEAD_BYTES = 16 * 1024;
const HEAD_END = Buffer.from("\r\n\r\n");
const BARE_HEAD_END = Buffer.from("\n\n");
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
  readonly #output: Output;
  /** Came, and wasn't looked at yet. */
  #held: Buffer | undefined;
  #isPaused = false;
  /** The beginning of a head is here, and waits for the rest. */
  #hasPartOfHead = false;
  #arrival: BodyReader | undefined;
  /** A request is with its handler, which makes us wait. */
  #isAnswering = false;
  /** The other side sends no more; it may still read. */
  #hasEnded = false;
  /** No request is read any more: the connection ends once all is written. */
  #isClosing = false;
  #isShut = false;
  #isGone = false;
  /** When it came to be as it is, by the server's clock. */
  #sinceMs: number;

  constructor(context: HttpServerContext, heads: HeadCache, socket: Socket<Connection>) {
    this.#context = context;
    this.#heads = heads;
    this.#socket = socket;
    this.#output = new Output(socket, context.budget);
    this.#sinceMs = context.clockMs;
  }

  /** Is there a request without its answer? */
  get isBusy(): boolean {
    return this.#isAnswering || this.#arrival?.isAnswered === false || this.#output.isBlocked;
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
    if (!this.#output.isBlocked) return;
    if (!this.#output.drain()) this.terminate();
    else if (this.#output.isBlocked) return;
    else if (this.#isClosing) this.#shut();
    else this.#goOn();
  }

  onEnd(): void {
    this.#hasEnded = true;
    // What would complete a body doesn't come any more.
    if (this.#arrival !== undefined || !this.isBusy) this.#shut();
  }

  onClose(): void {
    this.#isGone = true;
    this.#isClosing = true;
    this.#held = undefined;
    this.#output.close();
    this.#abandonArrival();
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
    } else if (this.#output.isBlocked) {
      if (waitedMs >= idleTimeoutMs) this.terminate();
    } else if (this.#isAnswering) {
      return;
    } else if (this.#arrival !== undefined) {
      if (waitedMs >= bodyTimeoutMs) this.#refuseLateBody(this.#arrival);
    } else if (this.#hasPartOfHead) {
      if (waitedMs >= headTimeoutMs)
        this.#refuse(timedOut(`The head did not arrive within ${headTimeoutMs} ms.`));
    } else if (waitedMs >= idleTimeoutMs) this.#shut();
  }

  #refuseLateBody(arrival: BodyReader): void {
    if (arrival.isAnswered) this.terminate();
    else this.#reject(arrival, timedOut(`The body did not arrive within ${this.#context.bodyTimeoutMs} ms.`));
  }

  // --- reading ---

  #consume(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length && !this.#isClosing) {
      if (this.#isAnswering || this.#output.isBlocked) {
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
    if (at === bytes.length) return at;
    const end = bytes.indexOf(HEAD_END, at);
    if (end < 0 || end - at > MAX_HEAD_BYTES) {
      this.#keepPartOfHead(bytes, at, end >= 0);
      return bytes.length;
    }
    this.#hasPartOfHead = false;
    const head = this.#heads.read((bytes as LatinBuffer).latin1Slice(at, end));
    if (head instanceof Rejection) {
      this.#refuse(head);
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

  #keepPartOfHead(bytes: Buffer, at: number, isWhole: boolean): void {
    if (isWhole || bytes.length - at > MAX_HEAD_BYTES)
      this.#refuse(
        new Rejection("head_too_large", `The head has more than ${MAX_HEAD_BYTES} bytes.`, { closes: true }),
      );
    else if (bytes.includes(BARE_HEAD_END, at))
      this.#refuse(new Rejection("not_http", "Lines of a head end with CR LF.", { closes: true }));
    else {
      if (!this.#hasPartOfHead) this.#sinceMs = this.#context.clockMs;
      this.#hasPartOfHead = true;
      this.#held = at === 0 ? bytes : bytes.subarray(at);
    }
  }

  /** The head is here, the body is still to come. */
  #expect(head: RequestHead): void {
    const gate = this.#context.guardOf(head);
    const arrival = new BodyReader(head, gate, this.#context.budget);
    const { bodyLength, expectsContinue } = head;
    const refusal =
      gate.admit(arrival.request) ??
      (bodyLength !== "chunked" && bodyLength > gate.maxBodyBytes
        ? gate.reject(arrival.request, payloadTooLarge(gate.maxBodyBytes))
        : undefined);
    this.#arrival = arrival;
    this.#sinceMs = this.#context.clockMs;
    if (refusal !== undefined) {
      arrival.isAnswered = true;
      // Whether a body comes after such an answer is the client's choice, so nobody could tell what comes next.
      this.#answer(refusal, head, !expectsContinue && !arrival.isEndless);
    } else if (expectsContinue) this.#send(CONTINUE);
  }

  #readBody(arrival: BodyReader, bytes: Buffer, start: number): number {
    let read: ReturnType<BodyReader["read"]>;
    try {
      read = arrival.read(bytes, start);
    } catch (error) {
      const detail = `The body can't be read: ${(error as Error).message}.`;
      this.#reject(arrival, new Rejection("bad_encoding", detail, { closes: true }));
      return bytes.length;
    }
    if (read.rejection !== undefined) this.#reject(arrival, read.rejection);
    else if (arrival.isAnswered && arrival.isEndless) this.#shut();
    if (!arrival.isDone) return read.at;
    this.#arrival = undefined;
    if (!arrival.isAnswered) this.#handle(arrival.complete(), arrival);
    return read.at;
  }

  /** Answers ahead of the rest of a body, which is thrown away from here on. */
  #reject(arrival: BodyReader, rejection: Rejection): void {
    const { gate, request } = arrival;
    if (arrival.isAnswered) {
      this.#shut();
      return;
    }
    arrival.isAnswered = true;
    arrival.release();
    this.#answer(gate.reject(request, rejection), request.head, !arrival.isEndless);
    this.#flush();
  }

  #abandonArrival(): void {
    const arrival = this.#arrival;
    this.#arrival = undefined;
    if (arrival === undefined) return;
    arrival.release();
    if (!arrival.isAnswered) arrival.gate.onAbort(arrival.request);
  }

  // --- answering ---

  #handle(request: IncomingRequest, arrival?: BodyReader): void {
    const result = this.#context.handle(request);
    if (result instanceof LightResponse) {
      arrival?.release();
      this.#answer(result, request.head, true);
      return;
    }
    this.#isAnswering = true;
    const { head } = request;
    if (result instanceof Response) this.#answerLater(result, head, arrival);
    else
      result.then(
        (settled) => this.#answerLater(settled, head, arrival),
        (error) => this.#answerLater(this.#context.toFaultResponse(error), head, arrival),
      );
  }

  #answerLater(settled: LightResponse | Response, head: RequestHead, arrival: BodyReader | undefined): void {
    if (settled instanceof Response) {
      const goesOn = head.keepsAlive && !this.#context.isStopping;
      responseToWire(settled, !goesOn, head.method === "HEAD").then(
        (wire) => {
          this.#send(wire);
          this.#after(goesOn);
          this.#answered(arrival);
        },
        (error) => this.#answerLater(this.#context.toFaultResponse(error), head, arrival),
      );
      return;
    }
    this.#answer(settled, head, true);
    this.#answered(arrival);
  }

  #answered(arrival: BodyReader | undefined): void {
    arrival?.release();
    this.#isAnswering = false;
    this.#goOn();
  }

  /** Refuses what never got to a handler, and all that may come behind it. */
  #refuse(rejection: Rejection): void {
    this.#send(toWire(this.#context.refuse(rejection), true, false));
    this.#after(false);
  }

  /** @param isReadable whatever comes behind the request can be told from it */
  #answer(answer: LightResponse, head: RequestHead, isReadable: boolean): void {
    const goesOn = isReadable && head.keepsAlive && !answer.closes && !this.#context.isStopping;
    this.#send(toWire(answer, !goesOn, head.method === "HEAD"));
    this.#after(goesOn);
  }

  #after(goesOn: boolean): void {
    // Who doesn't read has the time he has from where he stopped.
    if (!this.#output.isBlocked) this.#sinceMs = this.#context.clockMs;
    if (!goesOn) this.#shut();
  }

  // --- writing ---

  #send(wire: string | Buffer): void {
    if (!this.#output.add(wire)) this.terminate();
  }

  #flush(): void {
    if (!this.#output.flush()) this.terminate();
  }

  /** No more requests; the other side may still read what it was sent. */
  #shut(): void {
    this.#isClosing = true;
    this.#held = undefined;
    this.#abandonArrival();
    this.#flush();
    if (this.#output.isBlocked || this.#isShut || this.#isGone) return;
    this.#isShut = true;
    this.#sinceMs = this.#context.clockMs;
    if (this.#hasEnded) this.#socket.end();
    else this.#socket.shutdown();
  }
}

function timedOut(detail: string): Rejection {
  return new Rejection("request_timeout", detail, { closes: true });
}
