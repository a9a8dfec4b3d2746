// 2,000 connections that each do the worst of one kind: the producer's memory stays within its stated bound, and good callers
// are served.
import { expect, test } from "bun:test";
import { startMockCluster } from "@ingest/kafka";
import { until } from "@ingest/testkit";
import { startProducer } from "@ingest/testkit/service";
import { callWell, HostileConnections, p99, residentBytes } from "./flood.ts";

const TIMEOUT_MS = 120_000;
const MIB = 1024 * 1024;
const CONNECTIONS = 2_000;
const MEASURED_RESPONSES = 4_000;
const MEASURED_WITHIN_MS = 40_000;
const IN_FLIGHT_BYTES = 16 * MIB;
const UNSENT_BYTES = 16 * MIB;
/** As packages/http-server/README.md states it. */
const CONNECTION_BYTES = 20 * 1024;
const COLLECTOR_BYTES = 128 * MIB;

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

    using hostile = new HostileConnections("hostile-connections.ts", port, CONNECTIONS);
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
