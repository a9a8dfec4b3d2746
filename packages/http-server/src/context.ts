// What the connections of one server share.
import type { ByteBudget } from "./byte-budget.ts";
import { DiscardMeter } from "./discard-meter.ts";
import { Dispatcher, type DispatcherOptions } from "./dispatcher.ts";
import { HeadReader } from "./head-reader.ts";
import type { HttpServerOptions, Timeouts } from "./options.ts";
import { ResponseEncoder } from "./response-encoder.ts";

export interface ConnectionContext {
  readonly timeouts: Timeouts;
  readonly budget: ByteBudget;
  readonly unsentBudget: ByteBudget;
  readonly discarded: DiscardMeter;
  readonly heads: HeadReader;
  readonly encoder: ResponseEncoder;
  readonly dispatcher: Dispatcher;
  readonly expectsProxyHeader: HttpServerOptions["expectsProxyHeader"];
  /** Connections begin with a TLS handshake. */
  readonly isTls: boolean;
  /** Called for each handshake that fails or is too slow. */
  onFailedHandshake(): void;
  /** The server is stopping: each connection's next response is its last. Only the server sets it. */
  isStopping: boolean;
  /** The port is closed: connections on which no request comes are shut. Only the server sets it. */
  isPortClosed: boolean;
}

export type ContextOptions = Timeouts &
  DispatcherOptions &
  Pick<HttpServerOptions, "budget" | "unsentBudget" | "expectsProxyHeader" | "tls">;

export function createContext(options: ContextOptions, onFailedHandshake = () => {}): ConnectionContext {
  const { headTimeoutMs, bodyTimeoutMs, sendTimeoutMs, idleTimeoutMs, minBodyRate } = options;
  const { budget, unsentBudget, expectsProxyHeader } = options;
  return {
    timeouts: { headTimeoutMs, bodyTimeoutMs, sendTimeoutMs, idleTimeoutMs, minBodyRate },
    budget,
    unsentBudget,
    discarded: new DiscardMeter(),
    heads: new HeadReader(),
    encoder: new ResponseEncoder(new Date()),
    dispatcher: new Dispatcher(options),
    expectsProxyHeader,
    isTls: options.tls !== undefined,
    onFailedHandshake,
    isStopping: false,
    isPortClosed: false,
  };
}
