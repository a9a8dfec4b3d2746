import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { topicCheck } from "../callers/topics.ts";
import { toEventCheck } from "../events/event-check.ts";
import { FileProblems } from "../file-problems.ts";
import { Rejection } from "../rejection.ts";
import { createTestApp } from "../testing/test-app.ts";
import { parseRoutes } from "./parse-file.ts";
import { type Routes, routeCheck } from "./route-table.ts";

const parse = (...routes: object[]) => parseRoutes(JSON.stringify({ routes })) as Routes;
const problemsOf = (text: string) => (parseRoutes(text) as FileProblems).problems;

describe("the topic of an event type", () => {
  const routes = parse(
    { topic: "all-orders", event_types: ["order.*"] },
    { topic: "paid", event_types: ["order.paid", "invoice.paid"] },
    { topic: "eu-orders", event_types: ["order.eu.*"] },
  );

  test.each([
    ["order.paid", "paid"],
    ["order.paid.twice", "all-orders"],
    ["order.eu.paid", "eu-orders"],
    ["order.eu", "all-orders"],
    ["order", undefined],
    ["invoice.paid", "paid"],
    ["constructor", undefined],
  ])("%s goes to %p", (type, topic) => {
    expect(routes.topicOf(type)).toBe(topic);
  });

  test("* routes all that no other route has", () => {
    const all = parse({ topic: "rest", event_types: ["*"] }, { topic: "clicks", event_types: ["click"] });
    expect([all.topicOf("click"), all.topicOf("other")]).toEqual(["clicks", "rest"]);
  });
});

describe("the check of an event", () => {
  const event = { id: "id", key: "k", value: "{}" };
  const input = (type: string) => ({ event_type: type, payload: {} });

  test("adds the topic, and leaves an event without a route as it is", () => {
    let routes = parse({ topic: "orders", event_types: ["order.*"] });
    const check = routeCheck(() => routes)();
    expect(check(event, input("order.paid"))).toEqual({ ...event, topic: "orders" });
    expect(check(event, input("click"))).toBe(event);
    routes = parse({ topic: "clicks", event_types: ["click"] });
    expect(check(event, input("click"))).toEqual({ ...event, topic: "clicks" });
  });

  test("comes before the topics that the caller may send to", () => {
    const routes = parse({ topic: "orders", event_types: ["order.*"] });
    const caller = { id: "shop", topics: { includes: (topic: string) => topic === "events" } };
    const check = toEventCheck(caller as never, [routeCheck(() => routes), topicCheck("events")])!;
    expect(check(event, input("click"))).toBe(event);
    const rejection = check(event, input("order.paid"));
    expect(rejection).toBeInstanceOf(Rejection);
    expect((rejection as Rejection).code).toBe("topic_not_allowed");
  });
});

test("a topic is created with what its route says, and the defaults for the rest", () => {
  const routes = parse(
    {
      topic: "a",
      event_types: ["a"],
      partitions: 12,
      retention_ms: -1,
      cleanup_policy: "compact",
      compression: "zstd",
    },
    { topic: "b", event_types: ["b"] },
  );
  const defaults = { partitions: 6, replicationFactor: 3 };
  expect(routes.toNewTopic("a", defaults)).toEqual({
    topic: "a",
    partitions: 12,
    replicationFactor: 3,
    config: { "retention.ms": "-1", "cleanup.policy": "compact" },
  });
  expect(routes.toNewTopic("b", defaults)).toEqual({ topic: "b", ...defaults });
  expect(routes.toNewTopic("other", defaults)).toEqual({ topic: "other", ...defaults });
  expect(routes.producerConfig("a")).toEqual({ "compression.type": "zstd" });
  expect(routes.producerConfig("b")).toBeUndefined();
});

test("every problem of the file is named with its place", () => {
  expect(
    problemsOf(
      JSON.stringify({
        routes: [
          { topic: "a b", event_types: [] },
          { topic: "c", event_types: ["x*y"], partitions: 0, compression: "rar" },
          { event_types: ["z"], retention: 1 },
        ],
      }),
    ),
  ).toEqual(
    expect.arrayContaining([
      { pointer: "/routes/0/topic", message: expect.stringContaining("must be a topic name") },
      { pointer: "/routes/0/event_types", message: "must not be empty: leave it out, or list at least one" },
      { pointer: "/routes/1/event_types/0", message: "may have * only at its end" },
      { pointer: "/routes/1/partitions", message: "must be an integer from 1, got 0" },
      { pointer: "/routes/1/compression", message: "must be one of none, gzip, snappy, lz4, zstd" },
      { pointer: "/routes/2/topic", message: "is required" },
      { pointer: "/routes/2/retention", message: "is not a member that is known here" },
    ]),
  );
  expect(problemsOf("{")[0]!.message).toContain("is not JSON");
});

test("a topic or a type in two routes is refused", () => {
  const routes = [
    { topic: "a", event_types: ["x", "y.*"] },
    { topic: "a", event_types: ["y.*"] },
  ];
  expect(problemsOf(JSON.stringify({ routes }))).toEqual([
    { pointer: "/routes/1/topic", message: "is the same as /routes/0/topic: list all its event types there" },
    {
      pointer: "/routes/1/event_types/0",
      message: "is the same as /routes/0/event_types/1: a type goes to one topic",
    },
  ]);
});

test("/routes.schema.json takes the examples of docs/routes.md, and no misspelled member", async () => {
  const response = await createTestApp().app.handle(new Request("http://localhost/routes.schema.json"));
  expect(response.headers.get("content-type")).toBe("application/schema+json");
  const isValid = new Ajv2020({ strictSchema: true, strictTypes: false }).compile(
    (await response.json()) as object,
  );
  const page = readFileSync(join(import.meta.dir, "../../../../docs/routes.md"), "utf8");
  const examples = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text]) => text!);
  expect(examples.length).toBeGreaterThan(0);
  for (const text of examples) {
    isValid(JSON.parse(text));
    expect(isValid.errors).toBeNull();
    expect(parseRoutes(text)).not.toBeInstanceOf(FileProblems);
  }
  expect(isValid({ routes: [{ topic: "a", event_type: ["x"] }] })).toBe(false);
});
