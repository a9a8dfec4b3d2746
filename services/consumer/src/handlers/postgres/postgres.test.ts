import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { until } from "@ingest/testkit";
import { PostgresServer, whyNoPostgres } from "@ingest/testkit/postgres";
import type { ConsumedEvent, EventContext, EventHandler, HandledPosition } from "../../handler.ts";
import { eventRecord, type FixtureOptions, partitions, record, startLoop } from "../../loop/loop-fixture.ts";
import { createPostgres, type PostgresOptions } from "./postgres.ts";

const reason = whyNoPostgres === undefined ? "" : ` (left out: ${whyNoPostgres})`;

describe.skipIf(whyNoPostgres !== undefined)(`postgres${reason}`, () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await PostgresServer.start();
  }, 60_000);
  afterAll(() => server?.[Symbol.asyncDispose]());

  let tables = 0;
  /** A loop with this handler and a table of its own. */
  function start(options: Partial<PostgresOptions> = {}) {
    const table = options.table ?? `events_${tables++}`;
    const handler = createPostgres({
      url: server.url,
      groupId: "group",
      createTable: true,
      timeoutMs: 5_000,
      ...options,
      table,
    });
    const fixture = startLoop({
      handler: handler.handle,
      flush: (positions) => handler.flush!(positions),
    } satisfies FixtureOptions);
    fixture.loop.onAssigned(partitions(0));
    return {
      ...fixture,
      table,
      async [Symbol.asyncDispose]() {
        await fixture.loop.stop(100);
        fixture.flusher.abandon();
        await handler.stop!();
      },
    };
  }
  const event = (id: string, payload: string, timestamp = '"2026-01-31T12:00:00.123Z"') =>
    Buffer.from(
      `{"event_id":${JSON.stringify(id)},"timestamp":${timestamp},"event_type":"t","user_id":"u","payload":${payload}}`,
    );

  test("writes an event with its payload, times and place; numbers keep their digits", async () => {
    await using started = start();
    const { consumer, table } = started;
    consumer.put(
      record(0, 5, event("a", '{"n":12345678901234567890.123}')),
      record(0, 6, event("b", "{}", "1")),
    );
    await until("committed", () => consumer.committedOffsets()[0] === 7);
    const rows = await server.query(
      `select event_id, event_type, user_id, payload->>'n' as n, topic, "partition", "offset"::int as "offset",
        occurred_at at time zone 'UTC' = '2026-01-31 12:00:00.123' as is_time from ${table} order by event_id`,
    );
    const shared = { event_type: "t", user_id: "u", topic: "events", partition: 0 };
    expect(rows).toEqual([
      { ...shared, event_id: "a", n: "12345678901234567890.123", offset: 5, is_time: true },
      { ...shared, event_id: "b", n: null, offset: 6, is_time: false },
    ]);
  });

  test("writes CloudEvents, by source and id, also to a table without their column", async () => {
    await using started = start();
    const { consumer, table } = started;
    consumer.put(record(0, 0, event("a", "{}")));
    await until("committed", () => consumer.committedOffsets()[0] === 1);
    await server.query(`alter table ${table} drop column cloudevent`);
    const cloudEvent = (offset: number, source: string) => ({
      ...record(0, offset, Buffer.from("[1]")),
      headers: Object.entries({
        ce_specversion: "1.0",
        ce_id: "a",
        ce_source: source,
        ce_type: "t",
        "content-type": "application/json",
      }).map(([name, value]) => [name, Buffer.from(value)] as const),
    });
    consumer.put(
      cloudEvent(1, "/shop"),
      cloudEvent(2, "/stock"),
      cloudEvent(3, "/shop"),
      record(0, 4, event("b", "{}")),
    );
    await until("committed", () => consumer.committedOffsets()[0] === 5);
    const rows = await server.query(
      `select event_id, payload::text as payload, cloudevent->>'source' as source from ${table} order by "offset"`,
    );
    expect(rows).toEqual([
      { event_id: "a", payload: "{}", source: null },
      { event_id: "/shop a", payload: "[1]", source: "/shop" },
      { event_id: "/stock a", payload: "[1]", source: "/stock" },
      { event_id: "b", payload: "{}", source: null },
    ]);
  });

  test("writes an event once, however often it comes", async () => {
    await using started = start();
    const { consumer, table } = started;
    consumer.put(
      eventRecord(0, 0, { id: "a" }),
      eventRecord(0, 1, { id: "a" }),
      eventRecord(0, 2, { id: "b" }),
    );
    await until("committed", () => consumer.committedOffsets()[0] === 3);
    await using again = start({ table });
    again.consumer.put(eventRecord(0, 1, { id: "a" }), eventRecord(0, 2, { id: "b" }), eventRecord(0, 3));
    await until("committed", () => again.consumer.committedOffsets()[0] === 4);
    expect(await server.query(`select count(*)::int as n from ${table}`)).toEqual([{ n: 3 }]);
  });

  // PostgreSQL's text holds no NUL, so such an event can't be stored, ever.
  test("an event that the table refuses becomes a dead letter, and the others of its batch are written", async () => {
    await using started = start();
    const { consumer, counters, deadLetters, table } = started;
    const records = Array.from({ length: 40 }, (_, offset) =>
      record(0, offset, event(offset === 13 || offset === 30 ? `nul\0${offset}` : `e${offset}`, "{}")),
    );
    consumer.put(...records);
    await until("committed", () => consumer.committedOffsets()[0] === 40);
    expect(await server.query(`select count(*)::int as n from ${table}`)).toEqual([{ n: 38 }]);
    expect(deadLetters.stored.map((letter) => letter.record.offset)).toEqual([13, 30]);
    expect(deadLetters.stored[0]!.why).toMatchObject({ reason: "handler_failed", tries: 1 });
    expect(counters).toMatchObject({ handled: 38, deadLettered: 2 });
  });

  test("nothing is committed before the dead letter of a refused event is written", async () => {
    await using started = start();
    const { consumer, counters, deadLetters } = started;
    deadLetters.outcome = "abandoned";
    consumer.put(record(0, 0, event("nul\0", "{}")), eventRecord(0, 1));
    await until("flushes failed", () => counters.flushFailures > 1);
    expect(consumer.commits).toEqual([]);
    deadLetters.outcome = "stored";
    await until("committed", () => consumer.committedOffsets()[0] === 2);
  });

  test("a fault of the database is nobody's: the batch waits, and is written once the fault is mended", async () => {
    await using started = start({ createTable: false, table: "made_later" });
    const { consumer, counters, deadLetters } = started;
    consumer.put(eventRecord(0, 0), eventRecord(0, 1));
    await until("flushes failed", () => counters.flushFailures > 1);
    await using maker = start({ table: "made_later" });
    maker.consumer.put(eventRecord(0, 7, { id: "other" }));
    await until("the other written", () => maker.consumer.committedOffsets()[0] === 8);
    await until("written", () => consumer.committedOffsets()[0] === 2);
    expect(deadLetters.stored).toEqual([]);
    expect(await server.query("select count(*)::int as n from made_later")).toEqual([{ n: 3 }]);
  });

  test("stores the position with the rows, and an older one of a former owner changes nothing", async () => {
    const table = `events_${tables++}`;
    const topicId = "L0uP2tmbRG6SwHUZqIWemA";
    const handler = (groupId = "group") =>
      createPostgres({ url: server.url, groupId, table, createTable: true, timeoutMs: 5_000 });
    const context = (offset: number) =>
      ({
        topic: "events",
        partition: 0,
        offset,
        timestampMs: 1,
        text: `{"event_id":"${offset}","event_type":"t"}`,
      }) as EventContext;
    const write = async (to: EventHandler, offset: number, more: Partial<HandledPosition> = {}) => {
      to.handle(
        { event_id: String(offset), event_type: "t", timestamp: 1 } as unknown as ConsumedEvent,
        context(offset),
      );
      await to.flush!([
        { topic: "events", partition: 0, offset: offset + 1, topicId, isRewound: false, ...more },
      ]);
    };
    const [owner, former, other] = [handler(), handler(), handler("other")];
    try {
      expect(await owner.storedPositions!("events", topicId)).toEqual([]);
      const at = async () => (await owner.storedPositions!("events", topicId))[0]?.offset;
      await write(owner, 9);
      expect(await at()).toBe(10);
      await write(former, 4);
      expect(await at()).toBe(10);
      expect(await other.storedPositions!("events", topicId)).toEqual([]);
      expect(await owner.storedPositions!("events", "another topic")).toEqual([]);
      await write(former, 6, { isRewound: true });
      expect(await at()).toBe(7);
      // It reads below what it was told at the assignment: the log was truncated meanwhile.
      await write(owner, 5);
      expect(await at()).toBe(6);
      await write(owner, 1, { topicId: "recreated" });
      expect(await at()).toBeUndefined();
      expect(await owner.storedPositions!("events", "recreated")).toMatchObject([{ offset: 2 }]);
      // Rows that can't be written take their position with them.
      await server.query(`alter table ${table}_positions rename to hidden_${table}`);
      await expect(write(owner, 20)).rejects.toThrow();
      expect(await server.query(`select event_id from ${table} where "offset" = 20`)).toEqual([]);
    } finally {
      for (const each of [owner, former, other]) await each.stop!();
    }
  });

  test("a server that stops responding, or is killed, costs nothing", async () => {
    await using started = start({ timeoutMs: 500 });
    const { consumer, counters, table } = started;
    consumer.put(eventRecord(0, 0));
    await until("committed", () => consumer.committedOffsets()[0] === 1);
    server.signal("SIGSTOP");
    consumer.put(eventRecord(0, 1));
    await until("a time-out", () => counters.flushFailures > 0);
    server.signal("SIGCONT");
    await until("committed", () => consumer.committedOffsets()[0] === 2);
    await server.kill();
    consumer.put(eventRecord(0, 2));
    const failures = counters.flushFailures;
    await until("failures", () => counters.flushFailures > failures);
    await server.restart();
    await until("committed", () => consumer.committedOffsets()[0] === 3, 20_000);
    expect(await server.query(`select count(*)::int as n from ${table}`)).toEqual([{ n: 3 }]);
  }, 60_000);
});
