// What the connections of one server share.
import type { ByteBudget } from "./byte-budget.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { HeadReader } from "./head-reader.ts";
import type { HttpServerOptions, Timeouts } from "./options.ts";
import type { ResponseEncoder } from "./response-encoder.ts";

export interface ConnectionContext {
  readonly timeouts: Timeouts;
  readonly budget: ByteBudget;
  readonly unsentBudget: ByteBudget;
  readonly heads: HeadReader;
  readonly encoder: ResponseEncoder;
  readonly dispatcher: Dispatcher;
  readonly expectsProxyHeader: HttpServerOptions["expectsProxyHeader"];
  /** The server is stopping: each connection's next response is its last. Only the server sets it. */
  isStopping: boolean;
  /** The port is closed: connections on which no request comes are shut. Only the server sets it. */
  isPortClosed: boolean;
}
