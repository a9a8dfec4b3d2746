// The responding half of a connection: a request goes to its handler, and its response to the output.
import type { BodyReader } from "./body-reader.ts";
import type { ConnectionContext } from "./context.ts";
import type { Peer } from "./options.ts";
import type { IncomingRequest } from "./request.ts";
import { LightResponse } from "./response.ts";
import { toConnectionLine } from "./response-encoder.ts";

/** What the responder reports to its connection. */
export interface ResponderEvents extends Peer {
  /** The connection ends after the next response, whatever the request asks for. */
  readonly isLastResponse: boolean;
  /** @param keepAlive false when this is the connection's last response */
  onResponse(data: string | Buffer, keepAlive: boolean): void;
  /** The response that was waited for has been given: the next request may be read. */
  onSettled(): void;
}

export class Responder {
  readonly #context: ConnectionContext;
  readonly #events: ResponderEvents;
  #isPending = false;

  constructor(context: ConnectionContext, events: ResponderEvents) {
    this.#context = context;
    this.#events = events;
  }

  /** A request is with its handler, which has not responded yet. */
  get isPending(): boolean {
    return this.#isPending;
  }

  /** @param body released once the response is there */
  handle(request: IncomingRequest, body: BodyReader | undefined): void {
    const result = this.#context.dispatcher.handle(request);
    if (result instanceof LightResponse) {
      body?.release();
      this.respond(result, request, true);
      return;
    }
    this.#isPending = true;
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
    const { encoder, dispatcher } = this.#context;
    const { head } = request;
    const keeps = head.keepAlive && !this.#events.isLastResponse;
    const finished = dispatcher.finish(response, request, this.#events);
    encoder.encodeFetch(finished, toConnectionLine(keeps, head), head.method === "HEAD").then(
      (data) => {
        this.#events.onResponse(data, keeps);
        this.#settle(body);
      },
      (error) => this.#respondFault(error, request, body),
    );
  }

  #settle(body: BodyReader | undefined): void {
    body?.release();
    this.#isPending = false;
    this.#events.onSettled();
  }
}
