import { describe, expect, test } from "bun:test";
import { eventProblems, isEventInput, isStoredEvent } from "./check.ts";

const minimal = { event_type: "page_view" };

describe("isEventInput", () => {
  test.each([
    [minimal],
    [{ ...minimal, event_id: "e", user_id: "u", timestamp: 0, payload: {} }],
    [{ ...minimal, timestamp: "2026-02-28T23:59:60.123456789+05:30" }],
    [{ ...minimal, timestamp: "2024-02-29T00:00:00Z" }],
    [{ ...minimal, payload: { nested: [{ a: null }] } }],
    [{ ...minimal, schema_version: 2 }],
  ])("accepts %j", (value) => {
    expect(isEventInput(value)).toBe(true);
    expect(eventProblems(value)).toEqual([]);
  });

  test.each([
    [{}, "/event_type", "is required"],
    [{ event_type: "" }, "/event_type", "must not be empty"],
    [{ event_type: "x".repeat(129) }, "/event_type", "is longer than 128 characters"],
    [{ event_type: 7 }, "/event_type", "must be a string, got a number"],
    [{ ...minimal, event_id: "" }, "/event_id", "must not be empty"],
    [{ ...minimal, user_id: null }, "/user_id", "must be a string, got null"],
    [{ ...minimal, timestamp: "yesterday" }, "/timestamp", "must be an RFC 3339"],
    [{ ...minimal, timestamp: "2026-02-31T00:00:00Z" }, "/timestamp", "on an existing day"],
    [{ ...minimal, timestamp: -1 }, "/timestamp", "must be an RFC 3339"],
    [{ ...minimal, timestamp: 1.5 }, "/timestamp", "must be an RFC 3339"],
    [{ ...minimal, payload: "text" }, "/payload", "must be an object, got a string"],
    [{ ...minimal, payload: [] }, "/payload", "must be an object, got an array"],
    [{ ...minimal, userId: "u" }, "/userId", "is not a member of an event"],
    [{ ...minimal, schema_version: 0 }, "/schema_version", "must be an integer from 1"],
    [{ ...minimal, schema_version: 1.5 }, "/schema_version", "must be an integer from 1"],
    [{ ...minimal, schema_version: "2" }, "/schema_version", "must be an integer from 1"],
    [[], "", "expected a JSON object, got an array"],
    [null, "", "expected a JSON object, got null"],
    ["text", "", "expected a JSON object, got a string"],
  ])("rejects %j and names the member", (value, pointer, message) => {
    expect(isEventInput(value)).toBe(false);
    const problems = eventProblems(value);
    expect(problems.map((p) => p.pointer)).toEqual([pointer]);
    expect(problems[0]?.message).toContain(message);
  });

  test("names every invalid member, up to twenty", () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`extra${i}`, 1]));
    expect(eventProblems({ event_type: 1, user_id: 2 }).map((p) => p.pointer)).toEqual([
      "/event_type",
      "/user_id",
    ]);
    expect(eventProblems(many)).toHaveLength(20);
  });

  test("a slash or tilde in a member name is escaped (RFC 6901)", () => {
    expect(eventProblems({ ...minimal, "a/b~c": 1 })[0]?.pointer).toBe("/a~1b~0c");
  });
});

describe("lengths count Unicode code points, as JSON Schema's maxLength does", () => {
  const emoji = "\u{1F600}";
  const bounds = [
    ["event_type", 128],
    ["event_id", 128],
    ["user_id", 256],
  ] as const;

  test.each(bounds)("%s: %d characters outside the BMP are accepted, one more is not", (name, max) => {
    const event = { ...minimal, event_id: "e", timestamp: 1 };
    for (const longest of [emoji.repeat(max), "\ud83d".repeat(max), `${"x".repeat(max - 1)}${emoji}`]) {
      expect(isEventInput({ ...event, [name]: longest })).toBe(true);
      expect(eventProblems({ ...event, [name]: longest })).toEqual([]);
      expect(isStoredEvent({ ...event, [name]: longest })).toBe(true);
    }
    const tooLong = { ...event, [name]: `${emoji.repeat(max)}x` };
    expect(isEventInput(tooLong)).toBe(false);
    expect(isStoredEvent(tooLong)).toBe(false);
    expect(eventProblems(tooLong)).toEqual([
      { pointer: `/${name}`, message: `is longer than ${max} characters` },
    ]);
  });

  test("another invalid member is still named", () => {
    const event = { event_id: emoji.repeat(128), event_type: 7 };
    expect(isEventInput(event)).toBe(false);
    expect(eventProblems(event).map(({ pointer }) => pointer)).toEqual(["/event_type"]);
  });
});

test("a stored event has an id and a timestamp", () => {
  expect(isStoredEvent({ ...minimal, event_id: "e", timestamp: 1 })).toBe(true);
  expect(isStoredEvent(minimal)).toBe(false);
});
