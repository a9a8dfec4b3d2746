// Two producers behind a proxy, restarted one after the other under load: no client sees a failure.
import { afterAll, expect, test } from "bun:test";
import { freePort } from "@ingest/broker";
import { temporaryFolder, until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { startProducer } from "@ingest/testkit/service";
import { Load } from "./load.ts";
import { RunningProxy } from "./proxies.ts";

const TIMEOUT_MS = 180_000;
const RESTARTS = 8;
const REQUESTS_PER_SECOND = 1_500;
const kafka = await KafkaFixture.shared();
afterAll(() => kafka[Symbol.asyncDispose]());

test.each(["nginx", "haproxy", "caddy"] as const)(
  "behind %s: eight rolling restarts at 1,500 requests/s without a failed request",
  async (name) => {
    using first = temporaryFolder("journal");
    using second = temporaryFolder("journal");
    const journals = [first.path, second.path];
    const topic = kafka.topicName();
    const ports = [await freePort(), await freePort()] as const;
    const start = (index: number) =>
      startProducer({
        env: {
          ...kafka.env,
          KAFKA_TOPIC: topic,
          PORT: String(ports[index]),
          SHUTDOWN_DELAY_MS: "1000",
        },
        journalDir: journals[index]!,
      });
    const producers = [await start(0), await start(1)];
    await using proxy = await RunningProxy.start({ name, producerPorts: ports });
    const load = new Load({
      port: proxy.port,
      path: "/register_event",
      body: '{"event_type":"rolling"}',
      requestsPerSecond: REQUESTS_PER_SECOND,
    });
    try {
      for (let restart = 0; restart < RESTARTS; restart++) {
        const index = restart % 2;
        const { sent } = load.result;
        await until("load on both", () => load.result.sent > sent + REQUESTS_PER_SECOND / 2);
        expect(await producers[index]!.stop()).toBe(0);
        producers[index] = await start(index);
      }
    } finally {
      await load.stop();
      for (const producer of producers) await producer[Symbol.asyncDispose]();
    }
    const { sent, statuses } = load.result;
    expect([...statuses]).toEqual([[202, sent]]);
  },
  TIMEOUT_MS,
);
