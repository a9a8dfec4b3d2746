// 2,000 connections that each do the worst of one kind: the producer's memory stays within its stated bound, and good callers
// are served.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { startMockCluster } from "@ingest/kafka";
import { until } from "@ingest/testkit";
import { startProducer } from "@ingest/testkit/service";

const TIMEOUT_MS = 120_000;
const MIB = 1024 * 1024;
const CONNECTIONS = 2_000;
const GOOD_CALLERS = 20;
const FLOOD_MS = 8_000;
const IN_FLIGHT_BYTES = 16 * MIB;
const UNSENT_BYTES = 16 * MIB;
/** As packages/http-server/README.md states it. */
const CONNECTION_BYTES = 20 * 1024;
const COLLECTOR_BYTES = 192 * MIB;

const EVENT = '{"event_type":"flood"}';

function post(path: string, length: number, body = ""): string {
  return `POST ${path} HTTP/1.1\r\nHost: test\r\nContent-Length: ${length}\r\n\r\n${body}`;
}

const accepted = post("/register_event", EVENT.length, EVENT);
const stored = post("/register_event?durability=stored", EVENT.length, EVENT);

/** What each kind sends, once. Nobody of them reads more than its socket takes by itself. */
const kinds = {
  "a byte behind a refused body of 2 MB": Buffer.from(
    `${post("/register_events", 2 * MIB, "x".repeat(2 * MIB))}P`,
  ),
  "requests behind a pending one": Buffer.from(stored + accepted.repeat(5_000)),
  "responses that are not read": Buffer.from(
    "GET /openapi/assets/swagger-ui-bundle.js HTTP/1.1\r\nHost: test\r\n\r\n".repeat(5),
  ),
  "a head that does not end": Buffer.from(`GET / HTTP/1.1\r\nHost: test\r\nX-Long: ${"x".repeat(7_000)}`),
  "a body that does not end": Buffer.from(post("/register_events", 500_000, "x".repeat(100_000))),
  nothing: Buffer.alloc(0),
};

function openHostile(port: number, bytes: Buffer): Socket {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.pause();
  if (bytes.length > 0) socket.write(bytes);
  return socket;
}

function residentBytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))!;
  return Number(kib) * 1024;
}

/** Sends one event after the other on each connection. @returns the responses' times until `stop`, ms */
function callWell(port: number) {
  const timesMs: number[] = [];
  const failures: string[] = [];
  let isStopped = false;
  const sockets = Array.from({ length: GOOD_CALLERS }, () => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let sentMs = 0;
    const send = () => {
      sentMs = performance.now();
      socket.write(accepted);
    };
    socket.on("connect", send);
    socket.on("error", (error) => failures.push(String(error)));
    socket.on("close", () => isStopped || failures.push("closed"));
    socket.on("data", (data) => {
      timesMs.push(performance.now() - sentMs);
      const text = data.toString();
      if (!text.startsWith("HTTP/1.1 202")) failures.push(text);
      if (!isStopped) setTimeout(send, 5);
    });
    return socket;
  });
  return {
    timesMs,
    failures,
    stop() {
      isStopped = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}

function p99(timesMs: readonly number[]): number {
  return timesMs.toSorted((a, b) => a - b)[Math.floor(timesMs.length * 0.99)] ?? 0;
}

test(
  "2,000 hostile connections of every kind at once",
  async () => {
    const cluster = await startMockCluster();
    await using service = await startProducer({
      env: {
        KAFKA_BOOTSTRAP_SERVERS: cluster.bootstrapServers,
        KAFKA_TOPIC: "flood",
        // So long requests for `stored` are pending.
        KAFKA_LINGER_MS: "10000",
        MAX_BODY_BYTES: String(MIB),
        MAX_IN_FLIGHT_BYTES: String(IN_FLIGHT_BYTES),
        MAX_UNSENT_BYTES: String(UNSENT_BYTES),
      },
    });
    const port = Number(new URL(service.url).port);
    const caller = callWell(port);
    await until("responses in quiet", () => caller.timesMs.length > 4_000, 20_000);
    const quietMs = p99(caller.timesMs.splice(0));
    const quietBytes = residentBytes(service.pid);

    const payloads = Object.values(kinds);
    const hostile = Array.from({ length: CONNECTIONS }, (_, index) =>
      openHostile(port, payloads[index % payloads.length]!),
    );
    let mostBytes = 0;
    const endMs = performance.now() + FLOOD_MS;
    await until(
      "the end of the flood",
      () => {
        mostBytes = Math.max(mostBytes, residentBytes(service.pid));
        return performance.now() > endMs;
      },
      2 * FLOOD_MS,
    );
    const floodMs = p99(caller.timesMs);
    caller.stop();
    for (const socket of hostile) socket.destroy();
    console.log(
      `p99 of good callers: ${quietMs.toFixed(1)} ms in quiet, ${floodMs.toFixed(1)} ms in the flood; ` +
        `memory: ${Math.round(quietBytes / MIB)} MiB in quiet, ${Math.round(mostBytes / MIB)} MiB at most`,
    );
    expect(caller.failures).toEqual([]);
    expect(caller.timesMs.length).toBeGreaterThan(0);
    const bound =
      quietBytes + IN_FLIGHT_BYTES + UNSENT_BYTES + CONNECTIONS * CONNECTION_BYTES + COLLECTOR_BYTES;
    expect(mostBytes).toBeLessThan(bound);
    await until(
      "their end",
      async () => ((await service.metrics()).get("ingest_http_connections") ?? 0) < 50,
    );
    const metrics = await service.metrics();
    expect([
      metrics.get("ingest_http_body_bytes_in_flight"),
      metrics.get("ingest_http_unsent_bytes"),
    ]).toEqual([0, 0]);
    service.kill("SIGKILL");
    await service.exited;
    await cluster.close();
  },
  TIMEOUT_MS,
);
