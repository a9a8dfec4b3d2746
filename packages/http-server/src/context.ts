// What the connections of one server share.
import type { ByteBudget } from "./byte-budget.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { HeadReader } from "./head-reader.ts";
import type { Timeouts } from "./options.ts";
import type { ResponseEncoder } from "./response-encoder.ts";

export interface ConnectionContext {
  readonly timeouts: Timeouts;
  readonly budget: ByteBudget;
  readonly heads: HeadReader;
  readonly encoder: ResponseEncoder;
  readonly dispatcher: Dispatcher;
  /** ms, by `performance.now()`. Updated by each sweep, which is exact enough for timeouts. */
  readonly clockMs: number;
  /** The server is stopping: every response is the last of its connection. */
  readonly isStopping: boolean;
}
