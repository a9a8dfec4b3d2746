// Callers with real processes and a real Kafka: one process and several workers.
import { afterAll, describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { type ProducerProcess, startProducer } from "@ingest/testkit/service";

const TIMEOUT_MS = 120_000;
const kafka = await KafkaFixture.shared();
const folder = temporaryFolder("callers");
afterAll(async () => {
  folder[Symbol.dispose]();
  await kafka[Symbol.asyncDispose]();
});

const keyOf = (text: string, more: object = {}) => ({
  sha256: createHash("sha256").update(text).digest("hex"),
  ...more,
});

/** On a connection of its own, so that the kernel distributes them among workers. */
async function send(service: ProducerProcess, key: string | undefined, path = "/register_event") {
  const headers = { connection: "close", ...(key !== undefined && { authorization: `Bearer ${key}` }) };
  const response = await service.post(path, { event_type: "order.created" }, headers);
  return { status: response.status, body: (await response.json()) as { code?: string } };
}

describe.each(["1", "2"])("with %s workers", (workers) => {
  test(
    "keys, a change of the file, a bad file and SIGHUP",
    async () => {
      const topic = kafka.topicName();
      const path = join(folder.path, `${topic}.json`);
      const write = (file: unknown) => {
        writeFileSync(`${path}.new`, typeof file === "string" ? file : JSON.stringify(file));
        renameSync(`${path}.new`, path);
      };
      write({ callers: [{ id: "shop", keys: [keyOf("first"), keyOf("beacon", { in_query: true })] }] });
      await using service = await startProducer({
        env: {
          ...kafka.env,
          KAFKA_TOPIC: topic,
          WORKERS: workers,
          CALLERS_FILE: path,
          CALLER_HEADER: "caller",
          ACCESS_LOG: "all",
          LOG_LEVEL: "trace",
        },
      });
      expect(await send(service, undefined)).toMatchObject({
        status: 401,
        body: { code: "missing_api_key" },
      });
      expect(await send(service, "other")).toMatchObject({ status: 401, body: { code: "invalid_api_key" } });
      expect((await send(service, "first", "/register_event?durability=stored")).status).toBe(201);
      expect(
        (await send(service, undefined, "/register_event?write_key=beacon&durability=stored")).status,
      ).toBe(201);
      for (const path of [
        "/register_event?durability=none&",
        "/register_events?",
        "/nothing?",
        "/register_event?write_key=a&",
      ])
        expect((await send(service, undefined, `${path}write_key=beacon`)).status).toBeGreaterThanOrEqual(
          400,
        );
      expect((await fetch(`${service.url}/health/live`)).status).toBe(200);

      // Every worker finds the change.
      const statuses = async (key: string) =>
        (await Promise.all(Array.from({ length: 20 }, () => send(service, key)))).map(({ status }) => status);
      write({ callers: [{ id: "shop", keys: [keyOf("second")] }] });
      await until("the change", async () => (await statuses("first")).every((status) => status === 401));
      expect(new Set(await statuses("second"))).toEqual(new Set([202]));

      write("{");
      const failures = async () =>
        (await service.metrics()).get('ingest_callers_reloads_total{result="failure"}') ?? 0;
      await until("the failures", async () => (await failures()) === Number(workers));
      expect(new Set(await statuses("second"))).toEqual(new Set([202]));
      process.kill(service.pid, "SIGHUP");
      await until("the signal", async () => (await failures()) === 2 * Number(workers));
      expect((await send(service, "second")).status).toBe(202);

      // The signal reads the file also when it is the same as before, which a look at it does not.
      const successes = async () =>
        (await service.metrics()).get('ingest_callers_reloads_total{result="success"}') ?? 0;
      write({ callers: [{ id: "shop", keys: [keyOf("third")] }] });
      await until("the corrected file", async () => (await successes()) === 2 * Number(workers));
      process.kill(service.pid, "SIGHUP");
      await until("the signal", async () => (await successes()) === 3 * Number(workers));
      expect(new Set(await statuses("third"))).toEqual(new Set([202]));
      expect(new Set(await statuses("second"))).toEqual(new Set([401]));
      expect(await failures()).toBe(2 * Number(workers));

      const metrics = await service.metrics();
      expect(metrics.get('ingest_caller_events_total{caller="shop",outcome="stored"}')).toBe(2);
      expect(metrics.get('ingest_caller_requests_total{caller="none",status="401"}')).toBeGreaterThan(1);
      expect([...metrics.keys()].filter((name) => name.includes("beacon"))).toEqual([]);
      service.kill();
      expect(await service.exited).toBe(0);
      const records = await kafka.read(topic);
      expect(records.length).toBeGreaterThan(2);
      for (const { headers } of records)
        expect(headers.map(([name, value]) => [name, String(value)])).toEqual([["caller", "shop"]]);
      expect(service.lines.some((line) => line.caller === "shop")).toBe(true);
      const { lines, textLines, stderr } = service;
      expect(JSON.stringify({ lines, textLines, stderr })).not.toContain("beacon");
    },
    TIMEOUT_MS,
  );
});

test("a bad file at the start ends the process, which names every problem", async () => {
  const path = join(folder.path, "bad.json");
  writeFileSync(path, JSON.stringify({ callers: [{ id: "a", keys: [] }], more: 1 }));
  const child = Bun.spawn([process.execPath, "services/producer/src/main.ts"], {
    cwd: join(import.meta.dir, "../.."),
    env: { PATH: process.env.PATH ?? "", CALLERS_FILE: path },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const stderr = await child.stderr.text();
  expect(await child.exited).toBe(2);
  expect(stderr).toContain("/more is not a member");
  expect(stderr).toContain("/callers/0/keys must not be empty");
});
