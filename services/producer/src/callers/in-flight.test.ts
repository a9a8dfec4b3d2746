// Keys that end while a request with one of them is in flight.
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { RawSocket, until } from "@ingest/testkit";
import { serveTestApp } from "../testing/serve.ts";
import { type Callers, parseCallers } from "./parse-file.ts";

const fileOf = (...keys: string[]) => ({
  callers: [
    { id: "shop", keys: keys.map((key) => ({ sha256: createHash("sha256").update(key).digest("hex") })) },
  ],
});
const callersOf = (...keys: string[]) =>
  parseCallers(JSON.stringify(fileOf(...keys)), {
    defaultDurability: "accepted",
    hasJournal: true,
  }) as Callers;

test("a request whose key is removed while its body comes is 401, takes no event, and ends its admission", async () => {
  await using served = serveTestApp({ callers: fileOf("old", "new") });
  const directory = served.application.edge.callers!;
  const body = '{"event_type":"a"}';
  using socket = new RawSocket(served.port);
  const send = (key: string) =>
    `POST /register_event HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nX-API-Key: ${key}\r\nContent-Length: ${body.length}\r\n\r\n`;
  socket.write(send("old") + body.slice(0, 5));
  await until("the admission", () => served.admission.inFlight === 1);
  directory.replace(callersOf("new"));
  socket.write(body.slice(5));
  expect(await socket.untilReceived("invalid_api_key")).toStartWith("HTTP/1.1 401 ");
  expect(served.delivery.taken).toEqual([]);
  expect(served.admission.inFlight).toBe(0);
  expect(directory.counts.get("none")?.requests).toEqual({ 401: 1 });
  // The connection goes on with another key.
  socket.write(send("new") + body);
  await socket.untilReceived("HTTP/1.1 202 ");
  expect(served.delivery.taken).toHaveLength(1);
});
