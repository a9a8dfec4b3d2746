// Streams through the server's own connections, in this process and without sockets.
import type { Socket } from "bun";
import { ByteBudget } from "../src/byte-budget.ts";
import { Connection } from "../src/connection.ts";
import { type ConnectionContext, createContext } from "../src/context.ts";
import type { IncomingRequest } from "../src/request.ts";
import { LightResponse, ResponseHead } from "../src/response.ts";
import type { AcceptedRequest, Outcome } from "./outcome.ts";

const OK = new LightResponse(new ResponseHead(200, {}), "");
const STATUS = /HTTP\/1\.1 ([2-5]\d\d)/g;

export class OwnServer {
  /** Of the stream that is being read. */
  #requests: AcceptedRequest[] = [];
  /** Handlers respond with a delay, so that later requests have to wait. */
  #isSlow = false;
  readonly #context: ConnectionContext;

  constructor() {
    const accept = (request: IncomingRequest) => {
      this.#requests.push(toAcceptedRequest(request));
      return this.#isSlow ? Promise.resolve(OK) : OK;
    };
    this.#context = createContext({
      headTimeoutMs: 1_000,
      bodyTimeoutMs: 1_000,
      sendTimeoutMs: 1_000,
      minBodyRate: 0,
      idleTimeoutMs: 1_000,
      budget: new ByteBudget(1024 * 1024),
      unsentBudget: new ByteBudget(1024 * 1024),
      guards: {},
      fetch: accept,
      toFaultResponse: (error) => {
        throw error;
      },
      onRejected: () => {},
    });
  }

  /** @param pieces the stream as it is cut into packets */
  read(pieces: readonly Buffer[]): Outcome {
    this.#isSlow = false;
    return this.#open(pieces).close();
  }

  /** The same, where each response is given only after all pieces have come. */
  async readSlowly(pieces: readonly Buffer[]): Promise<Outcome> {
    this.#isSlow = true;
    const opened = this.#open(pieces);
    // Every promise of a response settles before the event loop turns.
    await new Promise((resolve) => setImmediate(resolve));
    return opened.close();
  }

  #open(pieces: readonly Buffer[]): { close(): Outcome } {
    const requests: AcceptedRequest[] = [];
    this.#requests = requests;
    let sent = "";
    let isClosed = false;
    const close = () => {
      isClosed = true;
    };
    const socket = {
      remoteAddress: "127.0.0.1",
      write(data: string | Uint8Array) {
        sent += typeof data === "string" ? data : Buffer.from(data).toString("latin1");
        return data.length;
      },
      pause() {},
      resume() {},
      shutdown: close,
      end: close,
      terminate: close,
    } as unknown as Socket<Connection>;
    const connection = new Connection(this.#context, socket);
    // Each piece in memory of its own, as sockets give it.
    for (const piece of pieces) connection.onData(Buffer.from(piece));
    return {
      close() {
        const statuses = [...sent.matchAll(STATUS)].map(([, status]) => Number(status));
        const outcome = { requests, statuses, isClosed };
        connection.onClose();
        return outcome;
      },
    };
  }
}

function toAcceptedRequest({ head, content }: IncomingRequest): AcceptedRequest {
  return {
    method: head.method,
    target: head.target,
    fields: [...head.fields].sort(([a], [b]) => (a < b ? -1 : 1)),
    body: content.toBuffer().toString("latin1"),
  };
}
