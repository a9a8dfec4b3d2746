// Requests that are sent again under one Idempotency-Key.
import { describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { createTestApp } from "../testing/test-app.ts";
import { createEventIds } from "./event-ids.ts";

const a = '{"event_type":"a"}';
const b = '{"event_type":"b","payload":{"text":"ключ"}}';
const ndjson = { "content-type": "application/x-ndjson" };

/** The ids of the response, whatever its shape; each request is sent to another process, so to speak. */
async function idsOf(path: string, body: Bun.BodyInit, key: string, more: Record<string, string> = {}) {
  const response = await createTestApp().post(path, body, { "idempotency-key": key, ...more });
  expect(response.status).toBe(202);
  const { event_id, results } = (await response.json()) as {
    event_id?: string;
    results?: { event_id: string }[];
  };
  return results?.map((result) => result.event_id) ?? [event_id];
}

describe("the same request under the same key has the same ids", () => {
  test.each([
    ["one event", "/register_event", a, {}, 1],
    ["an array", "/register_events", `[${a}, ${b}, ${a}]`, {}, 3],
    ["NDJSON", "/register_events", `${a}\n${b}\n${a}\n`, ndjson, 3],
  ])("%s", async (_, path, body, headers, count) => {
    const ids = await idsOf(path, body, '"k-1"', headers);
    expect(new Set(ids).size).toBe(count);
    for (const id of ids)
      expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(await idsOf(path, body, '"k-1"', headers)).toEqual(ids);
    expect(await idsOf(path, body, "k-1", headers)).toEqual(ids);
    expect(
      await idsOf(path, new Uint8Array(gzipSync(body)), "k-1", { ...headers, "content-encoding": "gzip" }),
    ).toEqual(ids);
    for (const id of await idsOf(path, body, "k-2", headers)) expect(ids).not.toContain(id);
  });

  test("as an array and as NDJSON too", async () => {
    expect(await idsOf("/register_events", `[${a},${b}]`, "k")).toEqual(
      await idsOf("/register_events", `${a}\r\n\n ${b}`, "k", ndjson),
    );
  });
});

test("another body under the same key has other ids: consumers drop none of its events", async () => {
  const first = await idsOf("/register_events", `[${a},${b}]`, "k");
  const second = await idsOf("/register_events", `[${a},${b.replace("b", "c")}]`, "k");
  expect(second[0]).toBe(first[0]);
  expect(second[1]).not.toBe(first[1]);
});

test("an event keeps an id of its own", async () => {
  const own = '{"event_type":"a","event_id":"mine"}';
  const ids = await idsOf("/register_events", `[${own},${a}]`, "k");
  expect(ids[0]).toBe("mine");
  expect(ids[1]).toBe((await idsOf("/register_events", `[${b},${a}]`, "k"))[1]);
});

test("the record has the id that the response has", async () => {
  const { post, delivery } = createTestApp();
  const response = await post("/register_event?durability=stored", a, { "idempotency-key": '"k"' });
  const { event_id } = (await response.json()) as { event_id: string };
  expect(delivery.events).toMatchObject([{ event_id, event_type: "a" }]);
  expect(delivery.taken[0]!.id).toBe(event_id);
});

test("callers can't meet each other's keys", () => {
  expect(createEventIds("one", "k").idOf(0, a)).not.toBe(createEventIds("two", "k").idOf(0, a));
  expect(createEventIds('a","b', "c").idOf(0, a)).not.toBe(createEventIds("a", 'b","c').idOf(0, a));
  expect(createEventIds("", "k").idOf(1, "0:")).not.toBe(createEventIds("", "k").idOf(10, ":"));
});

test("a malformed key is 400, and no event is taken", async () => {
  const { post, delivery } = createTestApp();
  const response = await post("/register_events", `[${a}]`, { "idempotency-key": '"one", "two"' });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ code: "bad_parameter" });
  expect(delivery.taken).toEqual([]);
});
