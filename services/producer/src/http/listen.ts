// Opens the port, or says why not.
import type { App } from "../app.ts";
import { lastResort } from "./errors.ts";

export interface ListenOptions {
  /** 0 takes a free one. */
  port: number;
  host: string;
  /** Other processes of this service listen on the same port (SO_REUSEPORT). */
  isShared: boolean;
  idleTimeoutSeconds: number;
}

/** The server's own limit answers without a body: ours come first, whatever is sent. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER;

/**
 * @returns the port
 * @throws ListenError
 */
export function listen(app: App, { port, host, isShared, idleTimeoutSeconds }: ListenOptions): number {
  try {
    app.listen({
      port,
      hostname: host,
      reusePort: isShared,
      idleTimeout: idleTimeoutSeconds,
      maxRequestBodySize: NO_LIMIT,
      development: false,
      error: lastResort,
    });
  } catch (error) {
    throw new ListenError(host, port, error);
  }
  return app.server?.port ?? port;
}

/** For answers that are given at the last moment to get out. */
const LAST_ANSWERS_MS = 500;

/**
 * Takes no new connections, ends those that nothing happens on, and waits for answers that are under way.
 * @param answerWaiting called when the time is over: requests that wait for something get their answers by it
 * @returns how many requests were cut off because they didn't end even then
 */
export async function closeServer(app: App, timeoutMs: number, answerWaiting: () => void): Promise<number> {
  const { server } = app;
  if (!server) return 0;
  const stopped = server.stop();
  await within(stopped, timeoutMs);
  if (server.pendingRequests > 0) {
    answerWaiting();
    await within(stopped, LAST_ANSWERS_MS);
  }
  const left = server.pendingRequests;
  await server.stop(true);
  return left;
}

async function within(promise: Promise<void>, timeoutMs: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  await Promise.race([promise, late]);
  clearTimeout(timer);
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
