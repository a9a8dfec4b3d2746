import { expect, test } from "bun:test";
import { decode } from "./decode.ts";

const text = '{"event_id":"e","timestamp":1,"event_type":"t","payload":{"a":[1,{"b":"ü\\n"}]}}';

test("reads an event and keeps its text", () => {
  expect(decode(Buffer.from(text), 128)).toEqual({ event: JSON.parse(text), text });
});

test("a replacement character sent by the caller is valid text", () => {
  expect(decode(Buffer.from(text.replace("ü", "\uFFFD")), 128)).toMatchObject({ event: { event_id: "e" } });
});

test.each([
  [null, "no value"],
  [Buffer.alloc(0), "not JSON"],
  [Buffer.from("{"), "not JSON"],
  [Buffer.from(`\ufeff${text}`), "not JSON"],
  [Buffer.from("null"), "expected a JSON object, got null"],
  [Buffer.from("[]"), "expected a JSON object, got an array"],
  [Buffer.from('{"event_type":"t"}'), "/event_id is missing; /timestamp is missing"],
  [Buffer.from('{"event_id":"e","timestamp":1,"event_type":7}'), "/event_type must be a string"],
  [
    Buffer.from('{"event_id":"e","timestamp":1,"event_type":"t","topic":"x"}'),
    "/topic is not a member of an event",
  ],
  [Buffer.concat([Buffer.from('{"event_type":"'), Buffer.from([0xff]), Buffer.from('"}')]), "not UTF-8"],
])("%p is not an event: %s", (value, why) => {
  expect(decode(value, 128)).toContain(why);
});

test("Confluent's wire format before the event is skipped", () => {
  const prefixed = Buffer.concat([Buffer.from([0, 0, 0, 1, 0xff]), Buffer.from(text)]);
  expect(decode(prefixed, 128)).toEqual({ event: JSON.parse(text), text });
  expect(decode(Buffer.from([0, 0, 0, 0, 1]), 128)).toContain("not JSON");
});

test("a value that is nested too deep is not an event", () => {
  const nested = (depth: number) => text.replace('{"a"', `{"d":${"[".repeat(depth)}${"]".repeat(depth)},"a"`);
  // The event and its payload are two levels.
  expect(decode(Buffer.from(nested(126)), 128)).toMatchObject({ event: { event_id: "e" } });
  expect(decode(Buffer.from(nested(127)), 128)).toBe("the value is nested more than 128 levels deep");
});
