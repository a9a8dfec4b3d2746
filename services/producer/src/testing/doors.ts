// The ways into the application, so that a test can take each: `app.handle` with a Fetch Request, and the sockets of both servers.
import { serveTestApp } from "./serve.ts";
import { createTestApp, type TestAppOptions } from "./test-app.ts";

export interface Opened extends ReturnType<typeof createTestApp> {
  send(path: string, init?: RequestInit): Promise<Response>;
}

export type Door = "app.handle" | "a socket" | "a socket of Bun.serve";

const ORIGIN = "http://test.example";

/** Opens applications through one door; `closeAll` stops their servers. */
export class Doors {
  readonly #servers: { stop(): Promise<void> }[] = [];

  constructor(readonly door: Door) {}

  open(options: TestAppOptions = {}): Opened {
    if (this.door === "app.handle") {
      const parts = createTestApp(options);
      const send = async (path: string, init?: RequestInit) =>
        parts.app.handle(new Request(ORIGIN + path, init));
      return { ...parts, send };
    }
    const served = serveTestApp({
      ...options,
      implementation: this.door === "a socket" ? "native" : "bun",
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

export const doors: readonly Door[] = ["app.handle", "a socket", "a socket of Bun.serve"];
