// 1,000 connections that try one key after the other: the producer's memory stays within its stated bound, and good callers
// are served.
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startMockCluster } from "@ingest/kafka";
import { temporaryFolder, until } from "@ingest/testkit";
import { startProducer } from "@ingest/testkit/service";
import { callWell, HostileConnections, p99, residentBytes } from "./flood.ts";

const TIMEOUT_MS = 120_000;
const MIB = 1024 * 1024;
const CONNECTIONS = 1_000;
const MEASURED_RESPONSES = 2_000;
const WRONG_KEYS = 50_000;
const WITHIN_MS = 40_000;
/** As packages/http-server/README.md states it. */
const CONNECTION_BYTES = 20 * 1024;
const COLLECTOR_BYTES = 128 * MIB;

const NONE = 'ingest_caller_requests_total{caller="none",status="401"}';

test(
  "1,000 connections with ever new wrong keys",
  async () => {
    const cluster = await startMockCluster();
    using folder = temporaryFolder("callers");
    const CALLERS_FILE = join(folder.path, "callers.json");
    const sha256 = createHash("sha256").update("good key").digest("hex");
    writeFileSync(CALLERS_FILE, JSON.stringify({ callers: [{ id: "good", keys: [{ sha256 }] }] }));
    await using service = await startProducer({
      env: { KAFKA_BOOTSTRAP_SERVERS: cluster.bootstrapServers, KAFKA_TOPIC: "wrong-keys", CALLERS_FILE },
    });
    const port = Number(new URL(service.url).port);
    const caller = callWell(port, "X-API-Key: good key\r\n");
    let mostBytes = 0;
    const measureP99 = async (phase: string) => {
      caller.timesMs.length = 0;
      const isEnough = () => {
        mostBytes = Math.max(mostBytes, residentBytes(service.pid));
        return caller.timesMs.length >= MEASURED_RESPONSES;
      };
      await until(`${MEASURED_RESPONSES} responses ${phase}`, isEnough, WITHIN_MS);
      return p99(caller.timesMs);
    };
    const quietMs = await measureP99("in quiet");
    const quietBytes = residentBytes(service.pid);

    using hostile = new HostileConnections("wrong-keys.ts", port, CONNECTIONS);
    await hostile.untilOpen();
    const floodMs = await measureP99("beside the wrong keys");
    await until(
      `${WRONG_KEYS} wrong keys`,
      async () => {
        mostBytes = Math.max(mostBytes, residentBytes(service.pid));
        return ((await service.metrics()).get(NONE) ?? 0) >= WRONG_KEYS;
      },
      WITHIN_MS,
    );
    caller.stop();
    hostile.kill();
    console.log(
      `p99 of good callers: ${quietMs.toFixed(1)} ms in quiet, ${floodMs.toFixed(1)} ms beside ${CONNECTIONS} connections ` +
        `with wrong keys; memory: ${Math.round(quietBytes / MIB)} MiB in quiet, ${Math.round(mostBytes / MIB)} MiB at most`,
    );
    expect(caller.failures).toEqual([]);
    expect(mostBytes).toBeLessThan(quietBytes + CONNECTIONS * CONNECTION_BYTES + COLLECTOR_BYTES);
    const metrics = await service.metrics();
    // Whatever is sent as a key, the labels are those of the file.
    const labels = [...metrics.keys()].flatMap((name) => /\bcaller="([^"]*)"/.exec(name)?.[1] ?? []);
    expect(new Set(labels)).toEqual(new Set(["good", "none"]));
    expect(metrics.get('ingest_caller_requests_total{caller="good",status="202"}')).toBeGreaterThan(0);
    expect(metrics.get(NONE)).toBeGreaterThanOrEqual(WRONG_KEYS);
    service.kill("SIGKILL");
    await service.exited;
    await cluster.close();
  },
  TIMEOUT_MS,
);
