// The test application on a real port.
import { ByteBudget } from "@ingest/http-server";
import { type ListenOptions, listen } from "../http/listen.ts";
import { createTestApp, type TestAppOptions } from "./test-app.ts";

export type ServeOptions = TestAppOptions & Partial<ListenOptions>;

export function serveTestApp(options: ServeOptions = {}) {
  const parts = createTestApp(options);
  const unsentBudget = new ByteBudget(10_000_000);
  const server = listen(parts.application, {
    port: 0,
    host: "127.0.0.1",
    isShared: false,
    maxConnections: 1_000,
    headTimeoutMs: 10_000,
    bodyTimeoutMs: 10_000,
    sendTimeoutMs: 10_000,
    minBodyRate: 500,
    idleTimeoutMs: 10_000,
    budget: parts.budget,
    unsentBudget,
    ...options,
  });
  const { port } = server;
  const stop = async () => {
    await server.stop(0, () => {});
  };
  return {
    ...parts,
    unsentBudget,
    server,
    stop,
    [Symbol.asyncDispose]: stop,
    port,
    url: `http://127.0.0.1:${port}`,
  };
}
