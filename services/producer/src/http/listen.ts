// Opens the port, or says why not.
import type { App } from "../app.ts";
import type { LightResponse } from "./response.ts";
import { HttpServer, type HttpServerOptions } from "./server/index.ts";

export type ListenOptions = Pick<
  HttpServerOptions,
  | "port"
  | "host"
  | "isShared"
  | "maxConnections"
  | "headTimeoutMs"
  | "bodyTimeoutMs"
  | "idleTimeoutMs"
  | "budget"
>;

/** @throws ListenError */
export function listen(
  { elysia, handlers, toFaultResponse, onUnhandledResponse }: App,
  options: ListenOptions,
): HttpServer {
  try {
    return new HttpServer({
      ...options,
      guards: handlers,
      // What the server's own requests have of a Request is what the routes of the guards ask for.
      fetch: (request) => elysia.fetch(request as Request) as Response | Promise<LightResponse | Response>,
      toFaultResponse,
      onRejected: onUnhandledResponse,
    });
  } catch (error) {
    throw new ListenError(options.host, options.port, error);
  }
}

/** The port can't be had. */
export class ListenError extends Error {
  override name = "ListenError";
  constructor(host: string, port: number, cause: unknown) {
    super(`can't listen on ${host}:${port} (${reasonOf(cause)})`, { cause });
  }
}

function reasonOf(cause: unknown): string {
  const { code, message } = cause as { code?: string; message?: string };
  if (code === "EADDRINUSE") return "another program listens there: stop it, or choose another PORT";
  if (code === "EACCES") return "not allowed: ports below 1024 are for root";
  return message ?? String(cause);
}

/**
 * Tries the port for a moment, for itself alone.
 * @throws ListenError
 */
export function assertPortFree(host: string, port: number): void {
  if (port === 0) return;
  try {
    Bun.listen({ hostname: host, port, exclusive: true, socket: { data() {} } }).stop(true);
  } catch (error) {
    throw new ListenError(host, port, error);
  }
}
