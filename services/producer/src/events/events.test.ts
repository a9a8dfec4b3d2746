import { afterEach, describe, expect, test } from "bun:test";
import { type Problem, Problem as ProblemSchema } from "@ingest/contract";
import { Value } from "@sinclair/typebox/value";
import type { RefusalCode, StoredOutcome } from "../delivery/index.ts";
import { type Opened, TestApps, transports } from "../testing/transports.ts";
import { Accepted, EventResult, Stored } from "./model.ts";

const refused = (code: RefusalCode, retryAfterSeconds = 3) =>
  ({ status: "refused", code, detail: "d", retryAfterSeconds }) as const;
const json = async <T>(response: Response) => (await response.json()) as T;

/** A request that waits for Kafka until `settle` is called. */
async function postWaiting({ post, delivery, admission }: Opened) {
  const { promise: outcome, resolve: settle } = Promise.withResolvers<StoredOutcome>();
  delivery.stored = () => outcome;
  const answer = post("/register_event?durability=stored", '{"event_type":"a"}');
  while (admission.inFlight === 0) await new Promise(setImmediate);
  return { answer, settle: () => settle({ status: "stored", topic: "t", partition: 0, offset: 0 }) };
}

async function problem(response: Response): Promise<Problem> {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const body = await json<Problem>(response);
  expect([...Value.Errors(ProblemSchema, body)]).toEqual([]);
  expect(body.status).toBe(response.status);
  expect(body.type).toBe(`/problems/${body.code}`);
  return body;
}

describe.each(transports)("through %s", (transport) => {
  const apps = new TestApps(transport);
  afterEach(() => apps.closeAll());

  describe("POST /register_event", () => {
    test("responds 202 with the event's id, and delivers the event", async () => {
      const { post, delivery } = apps.open();
      const response = await post("/register_event", '{"event_type":"a","user_id":"u"}');
      expect(response.status).toBe(202);
      expect(response.headers.get("content-type")).toBe("application/json");
      expect(response.headers.has("preference-applied")).toBe(false);
      const body = await json<Accepted>(response);
      expect(Value.Check(Accepted, body)).toBe(true);
      expect(body.status).toBe("accepted");
      expect(delivery.events).toMatchObject([{ event_id: body.event_id, event_type: "a", user_id: "u" }]);
      expect(delivery.taken[0]).toMatchObject({ id: body.event_id, key: "u" });
    });

    test("returns the caller's own id, whatever characters it has", async () => {
      const { post } = apps.open();
      const event_id = 'a"b\\c\u0001\ud800é';
      const response = await post("/register_event", JSON.stringify({ event_type: "a", event_id }));
      expect(await json<object>(response)).toEqual({ status: "accepted", event_id });
    });

    test.each([
      ["/register_event?durability=durable", undefined, null],
      ["/register_event", "durability=durable", "durability=durable"],
    ])("%s with Prefer: %s is durable", async (path, prefer, applied) => {
      const { post } = apps.open();
      const response = await post(path, '{"event_type":"a"}', prefer === undefined ? {} : { prefer });
      expect(response.status).toBe(202);
      expect(response.headers.get("preference-applied")).toBe(applied);
      expect(await json<object>(response)).toMatchObject({ status: "durable" });
    });

    test("stored is 201 with topic, partition and offset, also as the default durability", async () => {
      const { post } = apps.open({ defaultDurability: "stored" });
      const response = await post("/register_event", '{"event_type":"a"}', { prefer: "durability=stored" });
      expect(response.status).toBe(201);
      expect(response.headers.get("preference-applied")).toBe("durability=stored");
      const body = await json<Stored>(response);
      expect(Value.Check(Stored, body)).toBe(true);
      expect(body).toMatchObject({ status: "stored", topic: "events", partition: 2, offset: 0 });
      expect((await post("/register_event", '{"event_type":"a"}')).status).toBe(201);
    });

    // The response was 503, not taken, although the event was in flight to Kafka.
    test("a durable event without a confirmed fsync is 504, with the event_id to send it again with", async () => {
      const { post, delivery } = apps.open();
      delivery.durableOutcomes.push({ status: "unknown" });
      const body = await problem(await post("/register_event?durability=durable", '{"event_type":"a"}'));
      expect(body).toMatchObject({ status: 504, code: "outcome_unknown", event_id: delivery.taken[0]!.id });
    });

    test("a stored event without an outcome is 504, with its event_id", async () => {
      const { post, delivery } = apps.open();
      delivery.storedOutcomes.push({ status: "unknown" });
      const response = await post(
        "/register_event?durability=stored",
        '{"event_type":"a","event_id":"mine"}',
      );
      expect(await problem(response)).toMatchObject({
        status: 504,
        code: "outcome_unknown",
        event_id: "mine",
      });
    });

    test.each([
      "queue_full",
      "journal_full",
      "journal_unavailable",
      "kafka_unavailable",
      "shutting_down",
    ] as const)("%s is 503 with Retry-After", async (code) => {
      const { post, delivery } = apps.open();
      delivery.acceptOutcomes.push(refused(code));
      const response = await post("/register_event", '{"event_type":"a"}');
      expect(response.headers.get("retry-after")).toBe("3");
      expect(await problem(response)).toMatchObject({ status: 503, code });
      expect(delivery.taken).toEqual([]);
    });

    test("503 and 504 say in detail what to do next, for one event and for a batch", async () => {
      const { post, delivery } = apps.open({ maxInFlight: 1 });
      const batch = `[${'{"event_type":"a"}'}]`;
      delivery.acceptOutcomes.push({
        ...refused("queue_full"),
        detail: "Full: send it again after Retry-After.",
      });
      expect((await problem(await post("/register_events", batch))).detail).toContain(
        "send them again after Retry-After",
      );
      for (const [path, body] of [
        ["/register_event", '{"event_type":"a"}'],
        ["/register_events", batch],
      ] as const) {
        delivery.durableOutcomes.push({ status: "unknown" });
        const { detail } = await problem(await post(`${path}?durability=durable`, body));
        expect(detail).toMatch(/may still arrive: send (it|them) again with (this|the) event_id/);
      }
    });

    test("a request beyond the limit of requests is told to come again", async () => {
      const opened = apps.open({ maxInFlight: 1 });
      const { answer, settle } = await postWaiting(opened);
      const { detail } = await problem(await opened.post("/register_event", '{"event_type":"a"}'));
      expect(detail).toContain("send it again after Retry-After");
      settle();
      await answer;
    });

    test("an event that is too large for Kafka is 413", async () => {
      const { post, delivery } = apps.open();
      delivery.acceptOutcomes.push({ status: "refused", code: "too_large", detail: "d" });
      const response = await post("/register_event", '{"event_type":"a"}');
      expect(await problem(response)).toMatchObject({ status: 413, code: "too_large" });
    });

    test.each([
      ["", 400, "not_json"],
      ["{", 400, "not_json"],
      ["[]", 422, "invalid_event"],
      ['{"event_type":""}', 422, "invalid_event"],
      [`{"event_type":"a","payload":{"p":"${"x".repeat(10_000)}"}}`, 413, "too_large"],
    ])("%.40j is %d %s", async (body, status, code) => {
      const { post, delivery } = apps.open();
      expect(await problem(await post("/register_event", body))).toMatchObject({ status, code });
      expect(delivery.taken).toEqual([]);
    });

    test("malformed UTF-8 is 400, not a replacement character", async () => {
      const { post } = apps.open();
      const body = Buffer.from('{"event_type":"\xff"}', "latin1");
      expect(await problem(await post("/register_event", body))).toMatchObject({
        status: 400,
        code: "bad_encoding",
      });
    });

    test.each([
      ["?durability=forever", undefined],
      ["?durabilty=stored", undefined],
      ["?durability=stored&retries=3", undefined],
      ["", "durability=forever"],
    ])("%s with Prefer: %s is 400, never a weaker durability", async (query, prefer) => {
      const { post } = apps.open();
      const headers = prefer === undefined ? {} : { prefer };
      for (const path of ["/register_event", "/register_events"]) {
        expect(await problem(await post(path + query, '{"event_type":"a"}', headers))).toMatchObject({
          status: 400,
          code: "bad_parameter",
        });
      }
    });

    test.each([
      { "content-type": "text/plain" },
      { "content-type": "constructor" },
      { "content-type": "application/x-ndjson" },
      { "content-type": "application/json; charset=utf-16" },
      { "content-encoding": "compress" },
      { "content-encoding": "gzip, gzip, gzip" },
    ])("%j is 415", async (headers) => {
      const { post } = apps.open();
      expect(await problem(await post("/register_event", '{"event_type":"a"}', headers))).toMatchObject({
        status: 415,
        code: "unsupported_media_type",
      });
    });

    test("a 415 for a content coding lists those that are supported, and another 415 does not", async () => {
      const { post } = apps.open();
      const refused = async (headers: Record<string, string>) =>
        (await post("/register_event", '{"event_type":"a"}', headers)).headers.get("accept-encoding");
      expect(await refused({ "content-encoding": "compress" })).toBe("gzip, deflate, br, zstd");
      expect(await refused({ "content-type": "text/plain" })).toBeNull();
    });

    test.each([
      "application/json; charset=UTF-8",
      'application/json;charset="utf-8"',
      "application/problem+json",
      "APPLICATION/JSON",
    ])("%s is taken", async (type) => {
      const { post } = apps.open();
      expect((await post("/register_event", '{"event_type":"a"}', { "content-type": type })).status).toBe(
        202,
      );
    });

    test("requests beyond the limit are refused at once, and admitted again afterwards", async () => {
      const parts = apps.open({ maxInFlight: 1 });
      const { post, admission } = parts;
      const slow = await postWaiting(parts);
      const second = await post("/register_event", '{"event_type":"a"}');
      expect(await problem(second)).toMatchObject({ status: 503, code: "overloaded" });
      expect(second.headers.get("retry-after")).toBe("1");
      slow.settle();
      expect((await slow.answer).status).toBe(201);
      expect((await post("/register_event", '{"event_type":"a"}')).status).toBe(202);
      expect(admission.inFlight).toBe(0);
    });
  });

  describe("POST /register_events", () => {
    const two = '[{"event_type":"a","event_id":"1"},{"event_type":"b"}]';

    test("responds 202 with a result for each event, by index and event_id", async () => {
      const { post, delivery } = apps.open();
      const response = await post("/register_events", two);
      expect(response.status).toBe(202);
      const { results } = await json<{ results: EventResult[] }>(response);
      for (const result of results) expect([...Value.Errors(EventResult, result)]).toEqual([]);
      expect(results).toEqual([
        { index: 0, status: "accepted", event_id: "1" },
        { index: 1, status: "accepted", event_id: delivery.taken[1]!.id },
      ]);
      expect(delivery.events).toMatchObject([{ event_type: "a" }, { event_type: "b" }]);
    });

    test("takes NDJSON", async () => {
      const { post, delivery } = apps.open();
      const response = await post("/register_events", '{"event_type":"a"}\n{"event_type":"b"}\n', {
        "content-type": "application/x-ndjson",
      });
      expect(response.status).toBe(202);
      expect(delivery.events).toMatchObject([{ event_type: "a" }, { event_type: "b" }]);
    });

    test("is 207 when one event is invalid and the others are taken", async () => {
      const { post } = apps.open();
      const response = await post(
        "/register_events",
        '[{"event_type":"a"},{"event_id":"x"},{"event_type":"c"}]',
      );
      expect(response.status).toBe(207);
      const { results } = await json<{ results: EventResult[] }>(response);
      expect(results.map((r) => r.status)).toEqual(["accepted", "invalid", "accepted"]);
      expect(results[1]).toEqual({
        index: 1,
        status: "invalid",
        event_id: "x",
        code: "invalid_event",
        errors: [{ pointer: "/event_type", message: "is required" }],
      });
    });

    test("is 207 when some events have to be sent again", async () => {
      const { post, delivery } = apps.open();
      delivery.acceptOutcomes.push({ status: "accepted" }, refused("queue_full"));
      const response = await post("/register_events", two);
      expect(response.status).toBe(207);
      expect((await json<{ results: EventResult[] }>(response)).results[1]).toMatchObject({
        status: "retry",
        code: "queue_full",
      });
    });

    test("is 422 with the results when every event is invalid", async () => {
      const { post } = apps.open();
      const body = await problem(await post("/register_events", '[{"event_type":1},3]'));
      expect(body).toMatchObject({ status: 422, code: "invalid_event" });
      expect((body as unknown as { results: EventResult[] }).results.map((r) => r.status)).toEqual([
        "invalid",
        "invalid",
      ]);
    });

    test("is 503 with the results when no event could be taken", async () => {
      const { post, delivery } = apps.open();
      delivery.acceptOutcomes.push(refused("journal_full"), refused("journal_full"));
      const response = await post("/register_events", two);
      expect(response.headers.get("retry-after")).toBe("3");
      expect(await problem(response)).toMatchObject({
        status: 503,
        code: "journal_full",
        results: [{ status: "retry" }, { status: "retry" }],
      } as object);
    });

    test("stored: 201 when all are stored, 207 when one has no outcome, 504 when none has one", async () => {
      const { post, delivery } = apps.open();
      const stored = await post("/register_events?durability=stored", two);
      expect(stored.status).toBe(201);
      expect((await json<{ results: EventResult[] }>(stored)).results[0]).toMatchObject({
        status: "stored",
        partition: 2,
      });
      delivery.storedOutcomes.push({ status: "unknown" });
      expect((await post("/register_events?durability=stored", two)).status).toBe(207);
      delivery.storedOutcomes.push({ status: "unknown" }, { status: "unknown" });
      expect(await problem(await post("/register_events?durability=stored", two))).toMatchObject({
        status: 504,
      });
    });

    test("durable: 207 when one fsync is not confirmed, 504 when none is", async () => {
      const { post, delivery } = apps.open();
      delivery.durableOutcomes.push({ status: "durable" }, { status: "unknown" });
      const mixed = await post("/register_events?durability=durable", two);
      expect(mixed.status).toBe(207);
      const { results } = await json<{ results: EventResult[] }>(mixed);
      expect(results.map((r) => r.status)).toEqual(["durable", "unknown"]);
      delivery.durableOutcomes.push({ status: "unknown" }, { status: "unknown" });
      expect(await problem(await post("/register_events?durability=durable", two))).toMatchObject({
        status: 504,
        results: [{ event_id: "1", code: "outcome_unknown" }, { status: "unknown" }],
      } as object);
    });

    test("durable by preference returns Preference-Applied", async () => {
      const { post } = apps.open();
      const response = await post("/register_events", two, { prefer: "durability=durable" });
      expect(response.status).toBe(202);
      expect(response.headers.get("preference-applied")).toBe("durability=durable");
    });

    test.each([
      ["[]", 422, "invalid_event"],
      ['{"event_type":"a"}', 422, "invalid_event"],
      ["[", 400, "not_json"],
      [JSON.stringify(new Array(101).fill({ event_type: "a" })), 413, "too_large"],
      [`[${" ".repeat(100_000)}]`, 413, "too_large"],
    ])("%.40j is %d %s", async (body, status, code) => {
      const { post } = apps.open();
      expect(await problem(await post("/register_events", body))).toMatchObject({ status, code });
    });
  });
});
