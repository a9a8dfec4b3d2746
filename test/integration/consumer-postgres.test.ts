// Events in PostgreSQL: each is there once, whatever is killed.
import { afterAll, describe, expect, test } from "bun:test";
import { Random, until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { PostgresServer, whyNoPostgres } from "@ingest/testkit/postgres";
import { startConsumer } from "@ingest/testkit/service";
import { eventRecords } from "./event-records.ts";

const kafka = await KafkaFixture.shared();
afterAll(() => kafka[Symbol.asyncDispose]());

const EVENTS = 20_000;
const KILLS = 8;
const reason = whyNoPostgres === undefined ? "" : ` (left out: ${whyNoPostgres})`;

describe.skipIf(whyNoPostgres !== undefined)(`CONSUMER_HANDLER=postgres${reason}`, () => {
  test("writes each event once while the consumer, PostgreSQL and both are killed", async () => {
    await using server = await PostgresServer.start();
    const { topic, env: base } = await kafka.createTopicAndGroup(4);
    const env = {
      ...base,
      CONSUMER_HANDLER: "postgres",
      POSTGRES_URL: server.url,
      POSTGRES_TIMEOUT_MS: "2000",
      RETRY_BACKOFF_MAX_MS: "500",
      COMMIT_INTERVAL_MS: "200",
      CONSUMER_FETCH_RECORDS: "100",
      KAFKA_SESSION_TIMEOUT_MS: "6000",
      KAFKA_HEARTBEAT_INTERVAL_MS: "500",
    };
    const random = new Random(11);
    let consumer = startConsumer(env);
    try {
      await consumer.untilWaiting();
      for (let round = 0; round < KILLS; round++) {
        const part = EVENTS / KILLS;
        const writing = kafka.write(eventRecords(topic, part, round * part));
        await Bun.sleep(random.between(20, 400));
        const victim = random.below(3);
        if (victim !== 0) {
          consumer.kill("SIGKILL");
          await consumer.exited;
        }
        if (victim !== 1) {
          await server.kill();
          await server.restart();
        }
        if (victim !== 0) consumer = startConsumer(env);
        await writing;
      }
      const count = async () => (await server.query("select count(*)::int as n from events"))[0]!.n;
      await until("all there", async () => (await count()) === EVENTS, 120_000);
      await until("all committed", async () => (await kafka.committed(env)) === EVENTS, 60_000);
      expect(await consumer.stop()).toBe(0);
    } finally {
      await consumer[Symbol.asyncDispose]();
    }
    const [row] = await server.query(
      "select count(*)::int as rows, count(distinct event_id)::int as ids, count(distinct payload->>'number')::int as numbers from events",
    );
    expect(row).toEqual({ rows: EVENTS, ids: EVENTS, numbers: EVENTS });
    expect(await server.query('select sum("offset")::int as n from events_positions')).toEqual([
      { n: EVENTS },
    ]);
    expect(await kafka.countRecords(`${topic}.dead-letter`)).toBe(0);
  }, 300_000);
});
