import { expect, test } from "bun:test";
import { startMockCluster } from "@ingest/kafka";
import { Lifecycle } from "@ingest/service";
import { temporaryFolder, until } from "@ingest/testkit";
import pino from "pino";
import { readConfig } from "./config.ts";
import { event, openJournal } from "./delivery/testing/journal.ts";
import { startServer } from "./server.ts";

// The topic did not exist: its events failed for ever, and the events behind them waited.
test("a topic that only the journal names is created too, and logged", async () => {
  using home = temporaryFolder();
  const cluster = await startMockCluster();
  const former = await openJournal(home.path, { topic: "before" });
  former.append(event("left"), Date.now());
  await former.close();

  const lines: { topic?: string; msg: string }[] = [];
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) });
  const lifecycle = new Lifecycle(log);
  const config = readConfig({
    PORT: "0",
    HOST: "127.0.0.1",
    JOURNAL_DIR: home.path,
    KAFKA_BOOTSTRAP_SERVERS: cluster.bootstrapServers,
  });
  await startServer({ config, log, lifecycle });
  const isReady = (topic: string) => lines.some((line) => line.topic === topic && line.msg === "topic ready");
  await until("both topics", () => isReady("events") && isReady("before"), 30_000);
  expect(lines.filter(({ msg }) => msg.startsWith("journal holds events of another topic"))).toMatchObject([
    { topic: "before" },
  ]);
  expect(await lifecycle.stop()).toBe(true);
  await cluster.close();
}, 60_000);
