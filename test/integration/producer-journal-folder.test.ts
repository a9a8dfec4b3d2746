// The journal's folder is deleted and created again under a producer while Kafka is unavailable.
import { expect, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, until } from "@ingest/testkit";
import { startProducer } from "@ingest/testkit/service";

// Fault: 202 for durable events that were in deleted files, all lost when the process was killed.
test("no durable event is confirmed from then on, and readiness says why, until the process is killed", async () => {
  using home = temporaryFolder("journal-folder");
  await using producer = await startProducer({
    // Nothing listens on port 1.
    env: { KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1", JOURNAL_DIR: home.path },
  });
  const durable = async () =>
    (await producer.post("/register_event?durability=durable", { event_type: "a" })).status;
  await until("a durable event", async () => (await durable()) === 202, 60_000);
  const folder = join(home.path, "worker-0");
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  const statuses = new Set<number>();
  for (let n = 0; n < 20; n++) statuses.add(await durable());
  expect([...statuses].filter((status) => status < 500)).toEqual([]);
  const ready = await producer.fetch("/health/ready");
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({
    reason: "journal_unavailable",
    journal: expect.stringMatching(/folder_replaced|file_removed/),
  });
  producer.kill("SIGKILL");
}, 120_000);
