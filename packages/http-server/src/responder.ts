// The responding half of a connection: a request goes to its handler, and its response to the output.
import type { BodyReader } from "./body-reader.ts";
import type { ConnectionContext } from "./context.ts";
import type { Peer } from "./peer.ts";
import type { IncomingRequest } from "./request.ts";
import type { RequestHead } from "./request-head.ts";
import { LightResponse } from "./response.ts";
import { ResponseBody } from "./response-body.ts";
import { toConnectionLine } from "./response-encoder.ts";
import { type Framing, ResponseStream, type StreamTarget } from "./response-stream.ts";

/** What the responder needs from its connection, and reports to it. */
export interface ResponderEvents extends Peer, StreamTarget {
  /** The connection ends after the next response, whatever the request asks for. */
  readonly isLastResponse: boolean;
  /** @param keepAlive false when this is the connection's last response */
  onResponse(data: string | Buffer, keepAlive: boolean): void;
  /** The rest of a response will never come: the client must not take what it has for everything. */
  onBroken(): void;
  /** The response that was waited for has been given: the next request may be read. */
  onSettled(): void;
}

export class Responder {
  readonly #context: ConnectionContext;
  readonly #events: ResponderEvents;
  /** With its handler, or its response is being sent. */
  #request: IncomingRequest | undefined;
  #stream: ResponseStream | undefined;
  #isEventStream = false;
  #isClosed = false;

  constructor(context: ConnectionContext, events: ResponderEvents) {
    this.#context = context;
    this.#events = events;
  }

  /** A request is with its handler, which has not responded yet, or its response is a stream. */
  get isPending(): boolean {
    return this.#request !== undefined;
  }

  /** A response without a known end is being sent. */
  get isStreaming(): boolean {
    return this.#stream?.isOpenEnded === true;
  }

  /** The output accepts bytes again. */
  resume(): void {
    this.#stream?.resume();
  }

  /** Ends a stream of events: such a one has no end of its own, and its client connects again. */
  endEvents(): void {
    if (this.#isEventStream) this.#stream?.end();
  }

  /** The client is gone. */
  close(): void {
    this.#isClosed = true;
    this.#request?.abort();
    this.#stream?.cancel();
  }

  /** @param body released once the response is there */
  handle(request: IncomingRequest, body: BodyReader | undefined): void {
    const result = this.#context.dispatcher.handle(request);
    if (result instanceof LightResponse) {
      body?.release();
      this.respond(result, request, true);
      return;
    }
    this.#request = request;
    if (result instanceof Response) this.#respondLater(result, request, body);
    else
      result.then(
        (response) => this.#respondLater(response, request, body),
        (error) => this.#respondFault(error, request, body),
      );
  }

  /** @param keepAlive the end of the request is known, so that another may follow */
  respond(given: LightResponse, request: IncomingRequest, keepAlive: boolean): void {
    const { encoder, dispatcher } = this.#context;
    const { head } = request;
    const response = dispatcher.finish(given, request, this.#events);
    const keeps = keepAlive && head.keepAlive && !response.closes && !this.#events.isLastResponse;
    this.#events.onResponse(
      encoder.encode(response, toConnectionLine(keeps, head), head.method === "HEAD"),
      keeps,
    );
  }

  #respondFault(error: unknown, request: IncomingRequest, body: BodyReader | undefined): void {
    this.#respondLater(this.#context.dispatcher.toFaultResponse(error, request), request, body);
  }

  #respondLater(
    response: LightResponse | Response,
    request: IncomingRequest,
    body: BodyReader | undefined,
  ): void {
    if (response instanceof LightResponse) {
      this.respond(response, request, true);
      this.#settle(body);
      return;
    }
    this.#respondFetch(response, request).then(
      () => this.#settle(body),
      (error) => this.#respondFault(error, request, body),
    );
  }

  /** Rejects when the body fails before anything is sent. */
  async #respondFetch(given: Response, request: IncomingRequest): Promise<void> {
    const { head } = request;
    const response = this.#context.dispatcher.finish(given, request, this.#events);
    if (response.body === null && head.method === "HEAD") {
      // Of a route for HEAD alone, which knows the length that GET would have.
      this.#events.onResponse(...this.#begin(response, head, declaredLength(response) ?? 0, head.keepAlive));
      return;
    }
    if (response.body === null || hasNoBody(response.status)) {
      await response.body?.cancel();
      this.#respondWhole(response, head, []);
      return;
    }
    const body = new ResponseBody(response.body);
    if (this.#isClosed) {
      body.cancel();
      return;
    }
    const { pieces, isComplete } = await body.collect();
    if (isComplete) this.#respondWhole(response, head, pieces);
    else if (head.method === "HEAD") {
      body.cancel();
      const length = declaredLength(response);
      this.#events.onResponse(...this.#begin(response, head, length ?? "close", head.keepAlive));
    } else await this.#respondStream(response, request, body, pieces);
  }

  #respondWhole(response: Response, head: RequestHead, pieces: readonly Buffer[]): void {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const [first, keeps] = this.#begin(response, head, length, head.keepAlive);
    this.#events.onResponse(Buffer.concat(head.method === "HEAD" ? [first] : [first, ...pieces]), keeps);
  }

  async #respondStream(
    response: Response,
    request: IncomingRequest,
    body: ResponseBody,
    pieces: readonly Buffer[],
  ): Promise<void> {
    const { head } = request;
    const framing = declaredLength(response) ?? (head.isHttp10 ? "close" : "chunked");
    const [first, keeps] = this.#begin(response, head, framing, head.keepAlive && framing !== "close");
    this.#stream = new ResponseStream(body, framing, this.#events);
    this.#isEventStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
    if (this.#isClosed) this.#stream.cancel();
    this.#events.onPiece(first);
    const isComplete = await this.#stream.send(pieces, (error) => {
      // The application learns of the exception; its response comes too late.
      this.#context.dispatcher.toFaultResponse(error, request);
    });
    this.#stream = undefined;
    if (isComplete) this.#events.onResponse("", keeps && !this.#events.isLastResponse);
    else this.#events.onBroken();
  }

  /** @returns everything before the body, and whether another request may follow */
  #begin(response: Response, head: RequestHead, framing: Framing, keepAlive: boolean): [Buffer, boolean] {
    const keeps = keepAlive && !this.#events.isLastResponse;
    const lines = toConnectionLine(keeps, head) + (hasNoBody(response.status) ? "" : toFramingLine(framing));
    return [this.#context.encoder.encodeFetchHead(response, lines), keeps];
  }

  #settle(body: BodyReader | undefined): void {
    body?.release();
    this.#request = undefined;
    this.#events.onSettled();
  }
}

/** RFC 9110, section 6.4.1. */
function hasNoBody(status: number): boolean {
  return status < 200 || status === 204 || status === 304;
}

function declaredLength({ headers }: Response): number | undefined {
  const value = headers.get("content-length");
  return value !== null && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

function toFramingLine(framing: Framing): string {
  if (framing === "close") return "";
  return framing === "chunked" ? "Transfer-Encoding: chunked\r\n" : `Content-Length: ${framing}\r\n`;
}
