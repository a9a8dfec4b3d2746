// The responding half of a connection: a request goes to its handler, and its response to the output.
import type { BodyReader } from "./body-reader.ts";
import type { ConnectionContext } from "./context.ts";
import type { IncomingRequest } from "./request.ts";
import type { RequestHead } from "./request-head.ts";
import { LightResponse } from "./response.ts";

/** What the responder reports to its connection. */
export interface ResponderEvents {
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
      this.respond(result, request.head, true);
      return;
    }
    this.#isPending = true;
    const { head } = request;
    if (result instanceof Response) this.#respondLater(result, head, body);
    else
      result.then(
        (response) => this.#respondLater(response, head, body),
        (error) => this.#respondLater(this.#context.dispatcher.toFaultResponse(error), head, body),
      );
  }

  /** @param keepAlive the end of the request is known, so that another may follow */
  respond(response: LightResponse, head: RequestHead, keepAlive: boolean): void {
    const { isStopping, encoder } = this.#context;
    const keeps = keepAlive && head.keepAlive && !response.closes && !isStopping;
    this.#events.onResponse(encoder.encode(response, !keeps, head.method === "HEAD"), keeps);
  }

  #respondLater(response: LightResponse | Response, head: RequestHead, body: BodyReader | undefined): void {
    if (response instanceof LightResponse) {
      this.respond(response, head, true);
      this.#settle(body);
      return;
    }
    const { isStopping, encoder, dispatcher } = this.#context;
    const keeps = head.keepAlive && !isStopping;
    encoder.encodeFetch(response, !keeps, head.method === "HEAD").then(
      (data) => {
        this.#events.onResponse(data, keeps);
        this.#settle(body);
      },
      (error) => this.#respondLater(dispatcher.toFaultResponse(error), head, body),
    );
  }

  #settle(body: BodyReader | undefined): void {
    body?.release();
    this.#isPending = false;
    this.#events.onSettled();
  }
}
