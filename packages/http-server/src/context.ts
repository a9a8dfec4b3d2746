// What the connections of one server share.
import type { ByteBudget } from "./byte-budget.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { HeadReader } from "./head-reader.ts";
import type { HttpServerOptions, Timeouts } from "./options.ts";
import type { ResponseEncoder } from "./response-encoder.ts";

export interface ConnectionContext {
  readonly timeouts: Timeouts;
  readonly budget: ByteBudget;
  readonly heads: HeadReader;
  readonly encoder: ResponseEncoder;
  readonly dispatcher: Dispatcher;
  readonly expectsProxyHeader: HttpServerOptions["expectsProxyHeader"];
  /** ms, by `performance.now()`. The server updates it with each sweep, which is exact enough for timeouts. */
  clockMs: number;
  /** The server is stopping: every response is the last of its connection. Only the server sets it. */
  isStopping: boolean;
}
