// How a test sends requests to the application: `app.handle` with a Fetch Request, and the sockets of both servers.
import { serveTestApp } from "./serve.ts";
import { createTestApp, type TestAppOptions } from "./test-app.ts";

export interface Opened extends ReturnType<typeof createTestApp> {
  send(path: string, init?: RequestInit): Promise<Response>;
}

export type Transport = "app.handle" | "a socket" | "a socket of Bun.serve";

const ORIGIN = "http://test.example";

/** Opens test applications over one transport; `closeAll` stops their servers. */
export class TestApps {
  readonly #servers: { stop(): Promise<void> }[] = [];

  constructor(readonly transport: Transport) {}

  open(options: TestAppOptions = {}): Opened {
    if (this.transport === "app.handle") {
      const parts = createTestApp(options);
      const send = async (path: string, init?: RequestInit) =>
        parts.app.handle(new Request(ORIGIN + path, init));
      return { ...parts, send };
    }
    const served = serveTestApp({
      ...options,
      implementation: this.transport === "a socket" ? "native" : "bun",
    });
    this.#servers.push(served);
    const send = (path: string, init?: RequestInit) => fetch(served.url + path, init);
    const post: Opened["post"] = (path, body, headers = {}) =>
      send(path, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
    return { ...served, send, post };
  }

  async closeAll(): Promise<void> {
    await Promise.all(this.#servers.splice(0).map((server) => server.stop()));
  }
}

export const transports: readonly Transport[] = ["app.handle", "a socket", "a socket of Bun.serve"];
