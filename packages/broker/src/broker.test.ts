import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@ingest/testkit";
import {
  type Broker,
  BrokerError,
  brokerResponds,
  canStartBroker,
  kafkaVersion,
  startBroker,
} from "./index.ts";

const minute = 60_000;

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

describe.skipIf(!canStartBroker())("a broker", () => {
  let broker: Broker;
  beforeAll(async () => {
    broker = await startBroker();
  }, 5 * minute);
  afterAll(() => broker[Symbol.asyncDispose]());

  test("responds once it is started", async () => {
    expect(broker.bootstrapServers).toBe(`127.0.0.1:${broker.port}`);
    expect(await brokerResponds(broker.port)).toBe(true);
  });

  test("the error for a busy port names the port and how to choose another", async () => {
    const thrown = await rejection(startBroker({ port: broker.port, portSetting: "--port" }));
    expect(thrown).toBeInstanceOf(BrokerError);
    expect(thrown).toMatchObject({ code: "port_busy" });
    expect(String(thrown)).toContain(`127.0.0.1:${broker.port} `);
    expect(String(thrown)).toContain("--port");
  });

  test("doesn't respond while it is paused, and responds again afterwards", async () => {
    broker.pause();
    expect(await brokerResponds(broker.port, 200)).toBe(false);
    broker.resume();
    expect(await brokerResponds(broker.port, 10_000)).toBe(true);
  });

  test(
    "comes back on its port after a crash",
    async () => {
      const { port, pid } = broker;
      await broker.kill();
      expect(await brokerResponds(port)).toBe(false);
      await broker.restart();
      expect(broker.port).toBe(port);
      expect(broker.pid).not.toBe(pid);
      expect(await brokerResponds(port)).toBe(true);
    },
    2 * minute,
  );
});

test.if(canStartBroker())(
  "keeps a data folder that it was given, and uses it again",
  async () => {
    using temporary = temporaryFolder("broker-test");
    const dataDir = temporary.path;
    const metaFile = join(dataDir, "log", "meta.properties");
    let first: string;
    {
      await using broker = await startBroker({ dataDir });
      expect(broker.dataDir).toBe(dataDir);
      first = await Bun.file(metaFile).text();
    }
    await using again = await startBroker({ dataDir });
    expect(await brokerResponds(again.port)).toBe(true);
    expect(await Bun.file(metaFile).text()).toBe(first);
  },
  2 * minute,
);

test.if(canStartBroker())(
  "leaves neither process nor temporary folder behind",
  async () => {
    const broker = await startBroker();
    const { dataDir, pid } = broker;
    await broker[Symbol.asyncDispose]();
    expect(existsSync(dataDir)).toBe(false);
    expect(() => process.kill(pid, 0)).toThrow();
  },
  2 * minute,
);

test.if(canStartBroker())(
  "that does not start reports the end of Kafka's log",
  async () => {
    const thrown = await rejection(startBroker({ properties: { "num.io.threads": "none" } }));
    expect(thrown).toMatchObject({ name: "BrokerError" });
    expect(String(thrown)).toContain("num.io.threads");
  },
  minute,
);

test("has the version of the image in compose.yaml", async () => {
  const compose = Bun.file(join(import.meta.dir, "../../../compose.yaml"));
  expect(await compose.text()).toContain(`apache/kafka:${kafkaVersion()}`);
});
