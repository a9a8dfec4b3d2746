// Randomly damaged bodies: nothing throws, and an event is accepted exactly when JSON.parse and the schema accept it.
import { describe, expect, test } from "bun:test";
import { isUtf8 } from "node:buffer";
import { isEventInput, isStoredEvent } from "@ingest/contract";
import { Body } from "@ingest/http-server";
import { Random } from "@ingest/testkit";
import { Rejection } from "../rejection.ts";
import { decodeEvent, decodeEvents } from "./json.ts";

const toText = (bytes: Buffer) => new Body(bytes, 0, bytes.length).toText();

const limits = { maxEventBytes: 100_000, maxBatchEvents: 1_000, maxJsonDepth: 128 };
const ROUNDS = 5_000;

const seeds = [
  '{"event_type":"a"}',
  ' {\n "event_type" : "b\\u00e9\\"\\\\" , "user_id":"ключ", "payload":{"a":[1,2,{"b":"}]"}],"c":1e400} }\r\n',
  '\ufeff{"timestamp":"2026-01-31T12:00:00Z","event_id":"mine","event_type":"c"}',
  '{"timestamp":1770000000000,"event_type":"d","event_id":"x","payload":{}}',
  '{"event_type":"e","event_type":"f","payload":{"__proto__":1}}',
];
const fragments = [
  '"',
  "\\",
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  "\n",
  "\0",
  " ",
  "null",
  "1e9",
  '"event_id":',
  "\ud83d\ude00",
  "\ufeff",
];

function damaged(text: string, random: Random): Buffer {
  let bytes = Buffer.from(text);
  for (let damage = random.below(4); damage > 0; damage--) {
    const at = random.below(bytes.length + 1);
    switch (random.below(5)) {
      case 0:
        bytes = bytes.subarray(0, at);
        break;
      case 1:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(fragments[random.below(fragments.length)]!),
          bytes.subarray(at),
        ]);
        break;
      case 2:
        bytes = Buffer.from(bytes);
        if (at < bytes.length) bytes[at]! ^= 1 << random.below(8);
        break;
      case 3:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          bytes.subarray(Math.min(bytes.length, at + 1 + random.below(5))),
        ]);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.of(random.below(256)), bytes.subarray(at)]);
    }
  }
  return Buffer.from(bytes);
}

/** What a body is by JSON.parse alone; undefined when it is no JSON. */
function jsonOf(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) return undefined;
  try {
    return JSON.parse(bytes.toString().replace(/^\ufeff/, ""));
  } catch {
    return undefined;
  }
}

/** What a body means by JSON.parse and the schema alone. */
function meaning(bytes: Buffer): unknown {
  const value = jsonOf(bytes);
  return isEventInput(value) ? value : undefined;
}

function expectSame(bytes: Buffer, event: ReturnType<typeof decodeEvent>): void {
  const meant = meaning(bytes);
  if (event instanceof Rejection) {
    expect({ text: bytes.toString(), meant }).toEqual({ text: bytes.toString(), meant: undefined });
    return;
  }
  const stored = JSON.parse(event.value.toString()) as Record<string, unknown>;
  expect(isStoredEvent(stored)).toBe(true);
  expect(stored).toEqual({ event_id: event.id, timestamp: event.receivedMs, ...(meant as object) });
}

describe("damaged bodies", () => {
  test("one event", () => {
    const random = new Random(1);
    let taken = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = damaged(seeds[random.below(seeds.length)]!, random);
      const event = decodeEvent(toText(bytes), limits);
      expectSame(bytes, event);
      if (!(event instanceof Rejection)) taken++;
    }
    // The damage is light enough that both results occur often.
    expect(taken).toBeGreaterThan(ROUNDS / 10);
    expect(taken).toBeLessThan(ROUNDS * 0.9);
  });

  test("an array: valid exactly when JSON.parse accepts it, with the same elements", () => {
    const random = new Random(2);
    for (let round = 0; round < ROUNDS; round++) {
      const list = Array.from({ length: 1 + random.below(4) }, () =>
        seeds[random.below(seeds.length)]!.replace("\ufeff", "").trim(),
      );
      const bytes = damaged(`[${list.join(", ")}]`, random);
      const events = decodeEvents(bytes, "array", limits);
      const parsed = jsonOf(bytes);
      if (events instanceof Rejection) {
        const code = parsed === undefined ? (isUtf8(bytes) ? "not_json" : "bad_encoding") : "invalid_event";
        expect({ text: bytes.toString(), code: events.code }).toEqual({ text: bytes.toString(), code });
        if (code === "invalid_event") expect(Array.isArray(parsed) && parsed.length > 0).toBe(false);
        continue;
      }
      if (!Array.isArray(parsed)) throw new Error(`taken: ${bytes}`);
      expect(events).toHaveLength(parsed.length);
      for (const [index, event] of events.entries()) {
        expect(event instanceof Rejection).toBe(!isEventInput(parsed[index]));
        if (event instanceof Rejection) continue;
        const stored = JSON.parse(event.value.toString()) as object;
        expect(stored).toEqual({
          event_id: event.id,
          timestamp: event.receivedMs,
          ...(parsed[index] as object),
        });
      }
    }
  });

  test("lines: each is independent", () => {
    const random = new Random(3);
    for (let round = 0; round < ROUNDS; round++) {
      const list = Array.from({ length: 1 + random.below(4) }, () =>
        damaged(seeds[random.below(seeds.length)]!.replace("\ufeff", "").replaceAll("\n", " "), random),
      ).map((line) => Buffer.from(line.filter((byte) => byte !== 0x0a)));
      const body = Buffer.concat(list.flatMap((line) => [line, Buffer.from("\n")]));
      const events = decodeEvents(body, "ndjson", limits);
      if (events instanceof Rejection) continue;
      const lines = list.filter((line) => line.some((byte) => ![0x20, 0x09, 0x0d].includes(byte)));
      // A byte order mark is allowed before the first line only; a damaged line may begin with one.
      if (lines.length !== events.length || lines.some((line) => line.includes("\ufeff"))) continue;
      for (const [index, line] of lines.entries()) expectSame(line, events[index]!);
    }
  });
});
