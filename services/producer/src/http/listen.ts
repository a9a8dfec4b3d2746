// Opens the port, or reports why it can't be opened.
import {
  BunServer,
  HttpServer,
  type HttpServerOptions,
  type IncomingRequest,
  type LightResponse,
  type RequestGuard,
  type RunningServer,
} from "@ingest/http-server";
import { Rejection } from "../rejection.ts";
import type { Edge } from "./edge.ts";
import { toHttpProblemResponse, toProblemResponse } from "./problem-response.ts";

/** What a server needs of the application behind it. */
export interface HttpApplication {
  /** Gives a Response to a Fetch `Request`; to an `IncomingRequest` it may give a LightResponse. */
  readonly elysia: { fetch(request: Request): Response | Promise<Response> };
  /** Of the routes that take events, by path. */
  readonly handlers: Readonly<Record<string, RequestGuard>>;
  readonly edge: Pick<Edge, "finish" | "expectsProxyHeader">;
  toFaultResponse(error: unknown, request?: Request): LightResponse;
  /** Called with the status of each response that no handler of `handlers` made. */
  onUnhandledResponse(status: number): void;
}

export type ListenOptions = Pick<
  HttpServerOptions,
  | "port"
  | "host"
  | "isShared"
  | "maxConnections"
  | "headTimeoutMs"
  | "bodyTimeoutMs"
  | "sendTimeoutMs"
  | "minBodyRate"
  | "idleTimeoutMs"
  | "budget"
  | "unsentBudget"
  | "tls"
> & {
  /** `native`: the server of packages/http-server; `bun`: Bun.serve. */
  readonly implementation?: "native" | "bun";
  /** Of the application's paths; all others are 404 on this port. Without it all are served. */
  serves?(path: string): boolean;
};

/** @throws ListenError */
export function listen(
  { elysia, handlers, edge, toFaultResponse, onUnhandledResponse }: HttpApplication,
  { implementation = "native", serves, ...options }: ListenOptions,
): RunningServer {
  const Server = implementation === "bun" ? BunServer : HttpServer;
  const handle = (request: IncomingRequest) =>
    elysia.fetch(request) as Response | Promise<LightResponse | Response>;
  const handleServed = (request: IncomingRequest) => {
    const { path } = request.head;
    if (serves?.(path)) return handle(request);
    const response = toProblemResponse(
      new Rejection("not_found", `Nothing exists at ${path.slice(0, 200)} on this port.`),
    );
    onUnhandledResponse(response.status);
    return response;
  };
  try {
    return new Server({
      ...options,
      guards: serves === undefined ? handlers : pick(handlers, serves),
      isProbe: ({ path }) => path.startsWith("/health/"),
      fetch: serves === undefined ? handle : handleServed,
      toFaultResponse,
      toRejectionResponse: toHttpProblemResponse,
      finish: edge.finish,
      ...(edge.expectsProxyHeader && { expectsProxyHeader: edge.expectsProxyHeader }),
      onRejected: onUnhandledResponse,
    });
  } catch (error) {
    throw new ListenError(options.host, options.port, error);
  }
}

function pick<T>(byPath: Readonly<Record<string, T>>, serves: (path: string) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(byPath).filter(([path]) => serves(path)));
}

/** The port is not available. */
class ListenError extends Error {
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
 * Binds the port for a moment, without sharing it, to find out early whether it is available.
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
