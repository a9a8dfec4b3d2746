// 2,000 connections that each do the worst of one kind: the producer's memory stays within its stated bound, and good callers
// are served.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { startMockCluster } from "@ingest/kafka";
import { until } from "@ingest/testkit";
import { startProducer } from "@ingest/testkit/service";

const TIMEOUT_MS = 120_000;
const MIB = 1024 * 1024;
const CONNECTIONS = 2_000;
const GOOD_CALLERS = 20;
const MEASURED_RESPONSES = 4_000;
const MEASURED_WITHIN_MS = 40_000;
const IN_FLIGHT_BYTES = 16 * MIB;
const UNSENT_BYTES = 16 * MIB;
/** As packages/http-server/README.md states it. */
const CONNECTION_BYTES = 20 * 1024;
const COLLECTOR_BYTES = 128 * MIB;

const EVENT = '{"event_type":"flood"}';
const request = `POST /register_event HTTP/1.1\r\nHost: test\r\nContent-Length: ${EVENT.length}\r\n\r\n${EVENT}`;

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
      socket.write(request);
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

/** The flood, in a process of its own. */
class HostileConnections implements Disposable {
  readonly #child;

  constructor(port: number, count: number) {
    this.#child = Bun.spawn(
      [process.execPath, join(import.meta.dir, "hostile-connections.ts"), String(port), String(count)],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
  }

  /** Resolves once all connections have sent what the producer reads at once. */
  async untilOpen(): Promise<void> {
    for await (const chunk of this.#child.stdout) if (Buffer.from(chunk).includes("open")) return;
    throw new Error("the flood ended early");
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  [Symbol.dispose](): void {
    this.kill();
  }
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
    const measureP99 = async (phase: string) => {
      caller.timesMs.length = 0;
      await until(
        `${MEASURED_RESPONSES} responses ${phase}`,
        () => {
          mostBytes = Math.max(mostBytes, residentBytes(service.pid));
          return caller.timesMs.length >= MEASURED_RESPONSES;
        },
        MEASURED_WITHIN_MS,
      );
      return p99(caller.timesMs);
    };
    let mostBytes = 0;
    const quietMs = await measureP99("in quiet");
    const quietBytes = residentBytes(service.pid);

    using hostile = new HostileConnections(port, CONNECTIONS);
    const openingMs = await measureP99("while they open");
    await hostile.untilOpen();
    const floodMs = await measureP99("while they are open");
    caller.stop();
    hostile.kill();
    console.log(
      `p99 of good callers: ${quietMs.toFixed(1)} ms in quiet, ${openingMs.toFixed(1)} ms while ${CONNECTIONS} hostile ` +
        `connections open, ${floodMs.toFixed(1)} ms while they are open; ` +
        `memory: ${Math.round(quietBytes / MIB)} MiB in quiet, ${Math.round(mostBytes / MIB)} MiB at most`,
    );
    expect(caller.failures).toEqual([]);
    expect(caller.timesMs.length).toBeGreaterThan(0);
    const bound =
      quietBytes + IN_FLIGHT_BYTES + UNSENT_BYTES + CONNECTIONS * CONNECTION_BYTES + COLLECTOR_BYTES;
    expect(mostBytes).toBeLessThan(bound);
    await until("all bytes to be released", async () => {
      const metrics = await service.metrics();
      return ["ingest_http_body_bytes_in_flight", "ingest_http_unsent_bytes"].every(
        (name) => metrics.get(name) === 0,
      );
    });
    service.kill("SIGKILL");
    await service.exited;
    await cluster.close();
  },
  TIMEOUT_MS,
);
