// The bench's --verify on a real broker, with services that store every event, lose one, or store one twice.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createProducer } from "@ingest/kafka";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { type Options, parseOptions } from "../../bench/src/options.ts";
import { exitCodeOf } from "../../bench/src/outcome.ts";
import { run } from "../../bench/src/run.ts";
import { TopicUnreachableError } from "../../bench/src/verify/event-topic.ts";

const kafka = await KafkaFixture.shared();
const producer = createProducer({ config: kafka.config(), onOutcome() {} });
beforeAll(() => producer.connect(30_000), 60_000);
afterAll(async () => {
  await producer.close(10_000);
  await kafka[Symbol.asyncDispose]();
});

/** The response to an event, and how many records of it are written. */
type Treatment = { status: number; body: object; copies: number };

/** An HTTP service that responds to each event, and stores copies of it, as `treat` returns. */
function startService(topic: string, treat: (n: number, id: string) => Treatment) {
  let requests = 0;
  return Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const event = (await request.json()) as { event_id: string; user_id: string };
      const { status, body, copies } = treat(requests++, event.event_id);
      const value = Buffer.from(JSON.stringify(event));
      for (let i = 0; i < copies; i++) producer.produce({ topic, key: event.user_id, value });
      return Response.json(body, { status });
    },
  });
}

const accepted = (event_id: string) => ({ status: 202, body: { status: "accepted", event_id } });

function options(server: { url: URL }, topic: string, ...flags: string[]): Options {
  return parseOptions(
    ["--url", server.url.href, "--verify", "--verify-timeout", "3s", "--topic", topic, ...flags],
    kafka.env,
  ) as Options;
}

describe("bench --verify", () => {
  test("finds every event that was accepted", async () => {
    const topic = await kafka.createTopic(3);
    await using server = startService(topic, (_, id) => ({ ...accepted(id), copies: 1 }));
    const report = await run(options(server, topic, "--requests", "5000"));
    expect(report.verification).toMatchObject({ accepted: 5000, stored: 5000, missing: 0, duplicated: 0 });
    expect(exitCodeOf(report)).toBe(0);
  }, 60_000);

  test("names an event that was accepted and lost, and fails the run", async () => {
    const topic = await kafka.createTopic(3);
    let dropped = "";
    await using server = startService(topic, (n, id) => {
      if (n === 500) dropped = id;
      return { ...accepted(id), copies: n === 500 ? 0 : 1 };
    });
    const report = await run(options(server, topic, "--requests", "1000"));
    expect(report.verification).toMatchObject({ accepted: 1000, stored: 999, missing: 1, duplicated: 0 });
    expect(report.verification?.missingIds).toEqual([dropped]);
    expect(exitCodeOf(report)).toBe(1);
  }, 60_000);

  test("counts duplicates, and rejected or unconfirmed events that were stored all the same", async () => {
    const topic = await kafka.createTopic(3);
    await using server = startService(topic, (n, id) => {
      if (n === 3) return { status: 503, body: { code: "queue_full" }, copies: 1 };
      if (n === 4) return { status: 504, body: { code: "outcome_unknown" }, copies: 1 };
      if (n === 5) return { status: 503, body: { code: "queue_full" }, copies: 0 };
      return { ...accepted(id), copies: n === 6 ? 2 : 1 };
    });
    const report = await run(options(server, topic, "--requests", "100"));
    expect(report.verification).toMatchObject({
      accepted: 97,
      stored: 97,
      missing: 0,
      duplicated: 1,
      refusedStored: 1,
      unknownStored: 1,
    });
    expect(exitCodeOf(report)).toBe(0);
  }, 60_000);

  test("ignores records from before the run, and records of others", async () => {
    const topic = await kafka.createTopic(3);
    const foreign = Buffer.from('{"event_id":"bench-0000000000-1"}');
    for (let i = 0; i < 100; i++) producer.produce({ topic, key: `k${i}`, value: foreign });
    expect(await producer.flush(30_000)).toBe(true);
    await using server = startService(topic, (_, id) => {
      producer.produce({ topic, key: null, value: Buffer.from("no event") });
      return { ...accepted(id), copies: 1 };
    });
    const report = await run(options(server, topic, "--requests", "50"));
    expect(report.verification).toMatchObject({ accepted: 50, stored: 50, missing: 0, duplicated: 0 });
    expect(report.verification?.recordsRead).toBeLessThanOrEqual(100);
  }, 60_000);

  test("reports a missing topic before it sends any request", async () => {
    let requests = 0;
    await using server = Bun.serve({ port: 0, fetch: () => new Response(String(requests++)) });
    const failure = await run(options(server, `none-${crypto.randomUUID()}`)).catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(TopicUnreachableError);
    expect((failure as Error).message).toContain("--topic");
    expect(requests).toBe(0);
  }, 60_000);
});
