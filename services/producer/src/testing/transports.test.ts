// Whatever way a request takes into the application, its response is the same.
import { afterEach, expect, test } from "bun:test";
import { TestApps, transports } from "./transports.ts";

const apps = transports.map((transport) => new TestApps(transport));
afterEach(async () => {
  await Promise.all(apps.map((app) => app.closeAll()));
});

/** Fields about the connection, or different in each response. */
const TRANSFER = new Set(["connection", "content-length", "date", "keep-alive", "transfer-encoding"]);

async function describeResponse(response: Response): Promise<object> {
  const fields = [...response.headers].filter(([name]) => !TRANSFER.has(name)).sort();
  return { status: response.status, fields, body: await response.text() };
}

const event = (id: string) => `{"event_type":"a","event_id":"${id}"}`;

function post(path: string, body: string, headers: Record<string, string> = {}): [string, RequestInit] {
  const type = { "content-type": "application/json", "x-request-id": "one" };
  return [path, { method: "POST", body, headers: { ...type, ...headers } }];
}

const id = { "x-request-id": "one" };

const requests: [string, RequestInit][] = [
  post("/register_event", event("1")),
  post("/register_event?durability=stored", event("ключ")),
  post("/register_event", event("1"), { prefer: "durability=durable" }),
  post("/register_event", "{"),
  post("/register_event", "{}"),
  post("/register_event", "x".repeat(20_000)),
  post("/register_event", event("1"), { "content-type": "text/plain" }),
  post("/register_event", event("1"), { "content-encoding": "compress" }),
  post("/register_events", `[${event("1")},{},${event("2")}]`),
  post("/register_events", `${event("1")}\n${event("2")}\n`, { "content-type": "application/x-ndjson" }),
  post("/health/live", "{}"),
  ["/register_event", { headers: id }],
  ["/register_event", { method: "OPTIONS", headers: id }],
  ["/nothing?a=b", { headers: id }],
  ["/nothing", { method: "DELETE", headers: id }],
  ["/", { headers: id }],
  ["/", { method: "HEAD", headers: id }],
  ["/health/ready", { headers: id }],
  ["/problems/too_large", { headers: { ...id, accept: "text/html" } }],
  ["/problems/too_large", { method: "HEAD", headers: id }],
  ["/openapi/json", { headers: id }],
];

const cases = requests.map(([path, init], n) => [n, init.method ?? "GET", path, init] as const);

test.each(cases)("request %i, %s %s, has the same response on every transport", async (_, __, path, init) => {
  const responses = await Promise.all(
    apps.map(async (app) => describeResponse(await app.open().send(path, init))),
  );
  const [first] = responses;
  for (const response of responses) expect(response).toEqual(first!);
});
