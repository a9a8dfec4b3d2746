// A key in the query is a secret of its sender: no response, log line or metric has it.
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { RawSocket } from "@ingest/testkit";
import pino from "pino";
import { serveTestApp } from "../testing/serve.ts";

const KEY = "ingest_marker-of-the-key";
const event = '{"event_type":"order.created"}';
const file = {
  callers: [
    {
      id: "page",
      keys: [{ sha256: createHash("sha256").update(KEY).digest("hex"), in_query: true }],
      event_types: ["order.*"],
      limits: { events_per_second: 1_000, burst_events: 12 },
    },
  ],
};

test("whatever the request comes to, its key is nowhere but in the request", async () => {
  const lines: string[] = [];
  const log = pino({ level: "trace" }, { write: (line: string) => void lines.push(line) });
  await using served = serveTestApp({
    callers: file,
    log,
    edge: { ACCESS_LOG: "all", REQUEST_ID: true },
  });
  const seen: string[] = [];
  const send = async (path: string, init: RequestInit = {}, key = KEY) => {
    const query = `${path.includes("?") ? "&" : "?"}write_key=${key}`;
    const response = await fetch(served.url + path + query, init);
    seen.push(JSON.stringify([...response.headers]), await response.text());
    return response.status;
  };
  const post = (path: string, body: string, headers = {}, key?: string) =>
    send(path, { method: "POST", body, headers: { "content-type": "application/json", ...headers } }, key);
  expect(await post("/register_event", event)).toBe(202);
  expect(await post("/register_event", "{")).toBe(400);
  expect(await post("/register_event?durability=none", event)).toBe(400);
  expect(await post("/register_event", event, {}, `${KEY}-wrong`)).toBe(401);
  expect(await post("/register_event", event, {}, `${KEY}&write_key=${KEY}`)).toBe(401);
  expect(await post("/register_event", '{"event_type":"refund"}')).toBe(403);
  expect(await post("/register_event", event, { origin: "https://other.example" })).toBe(403);
  expect(await post("/nothing", event)).toBe(404);
  expect(await send("/register_event")).toBe(405);
  expect(await send("/register_event", { method: "OPTIONS" })).toBe(204);
  expect(await post("/register_event", `{"event_type":"${"x".repeat(20_000)}"}`)).toBe(413);
  expect(await post("/register_event", event, { "content-type": "text/csv" })).toBe(415);
  expect(await post("/register_event", "{}")).toBe(422);
  served.delivery.accept = () => {
    throw new Error("a fault");
  };
  expect(await post("/register_event", event)).toBe(500);
  for (let n = 0; n < 20; n++) await post("/register_event", event);
  expect(await post("/register_events", `[${Array(50).fill(event).join()}]`)).toBe(500);
  served.delivery.refusal = {
    status: "refused",
    code: "kafka_unavailable",
    detail: "Later.",
    retryAfterSeconds: 1,
  };
  expect(await post("/register_event", event)).toBe(503);
  for (const malformed of ["\r\nNo colon", "\r\nHost: b", "\r\nContent-Length: x", "\r\nX: \0"]) {
    using socket = new RawSocket(served.port);
    socket.write(`POST /register_event?write_key=${KEY} HTTP/1.1\r\nHost: a${malformed}\r\n\r\n`);
    seen.push(await socket.untilClosed());
    expect(seen.at(-1)).toStartWith("HTTP/1.1 400 ");
  }
  const metrics = await (await fetch(`${served.url}/metrics`)).text();
  expect(metrics).toContain('caller="page"');
  const logged = lines.map((line) => JSON.parse(line) as { msg: string; caller?: string });
  const fault = logged.find(({ msg }) => msg === "request failed: exception in this service");
  expect(fault?.caller).toBe("page");
  expect(lines.filter((line) => line.includes('"caller":"page"')).length).toBeGreaterThan(10);
  for (const text of [...seen, ...lines, metrics, ...served.delivery.taken.map(({ value }) => String(value))])
    expect(text).not.toContain("marker-of-the-key");
});
