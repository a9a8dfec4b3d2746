// Streams through the server's own connections, in this process and without sockets.
import type { Socket } from "bun";
import { ByteBudget } from "../src/byte-budget.ts";
import { Connection } from "../src/connection.ts";
import type { ConnectionContext } from "../src/context.ts";
import { Dispatcher } from "../src/dispatcher.ts";
import { HeadReader } from "../src/head-reader.ts";
import type { IncomingRequest } from "../src/request.ts";
import { LightResponse, ResponseHead } from "../src/response.ts";
import { ResponseEncoder } from "../src/response-encoder.ts";
import type { Outcome, TakenRequest } from "./outcome.ts";

const OK = new LightResponse(new ResponseHead(200, {}), "");
const STATUS = /HTTP\/1\.1 ([2-5]\d\d)/g;

export class OwnServer {
  /** Of the stream that is being read. */
  #requests: TakenRequest[] = [];
  /** Handlers respond later, so that the requests behind have to wait. */
  #isSlow = false;
  readonly #context: ConnectionContext;

  constructor() {
    const take = (request: IncomingRequest) => {
      this.#requests.push(toTakenRequest(request));
      return this.#isSlow ? Promise.resolve(OK) : OK;
    };
    this.#context = {
      timeouts: {
        headTimeoutMs: 1_000,
        bodyTimeoutMs: 1_000,
        sendTimeoutMs: 1_000,
        minBodyRate: 0,
        idleTimeoutMs: 1_000,
      },
      budget: new ByteBudget(1024 * 1024),
      unsentBudget: new ByteBudget(1024 * 1024),
      heads: new HeadReader(),
      encoder: new ResponseEncoder(new Date()),
      dispatcher: new Dispatcher({
        guards: {},
        fetch: take,
        toFaultResponse: (error) => {
          throw error;
        },
        onRejected: () => {},
      }),
      expectsProxyHeader: undefined,
      isStopping: false,
      isPortClosed: false,
    };
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
    // Every promise behind a response settles before the event loop turns.
    await new Promise((resolve) => setImmediate(resolve));
    return opened.close();
  }

  #open(pieces: readonly Buffer[]): { close(): Outcome } {
    const requests: TakenRequest[] = [];
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

function toTakenRequest({ head, content }: IncomingRequest): TakenRequest {
  return {
    method: head.method,
    target: head.target,
    fields: [...head.fields].sort(([a], [b]) => (a < b ? -1 : 1)),
    body: content.toBuffer().toString("latin1"),
  };
}
