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

test("a stored event has an id and a timestamp", () => {
  expect(isStoredEvent({ ...minimal, event_id: "e", timestamp: 1 })).toBe(true);
  expect(isStoredEvent(minimal)).toBe(false);
});
