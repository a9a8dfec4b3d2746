import { describe, expect, setSystemTime, spyOn, test } from "bun:test";
import { Body } from "@ingest/http-server";
import type { EncodedEvent } from "../delivery/index.ts";
import { Rejection } from "../rejection.ts";
import { decodeEvent, decodeEvents } from "./json.ts";

const toText = (bytes: Buffer) => new Body(bytes, 0, bytes.length).toText();

const limits = { maxEventBytes: 1_000, maxBatchEvents: 5, maxJsonDepth: 128 };
const NOW = 1_770_000_000_000;
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

function bytes(text: string): Buffer {
  return Buffer.from(text);
}

function one(text: string | Buffer): EncodedEvent {
  const event = decodeEvent(toText(Buffer.from(text)), limits);
  if (event instanceof Rejection) throw new Error(event.detail);
  return event;
}

function no(text: string | Buffer): Rejection {
  const rejection = decodeEvent(toText(Buffer.from(text)), limits);
  if (!(rejection instanceof Rejection)) throw new Error("was taken");
  return rejection;
}

function many(text: string, format: "array" | "ndjson"): (EncodedEvent | Rejection)[] {
  const events = decodeEvents(bytes(text), format, limits);
  if (events instanceof Rejection) throw new Error(events.detail);
  return events;
}

describe("one event", () => {
  test("gets an id and a timestamp at the front, and keeps its own bytes after them", () => {
    setSystemTime(NOW);
    const { id, key, value, receivedMs } = one('{"event_type":"a","user_id":"u","payload":{"n":1.0}}');
    setSystemTime();
    expect(id).toMatch(UUID_V7);
    expect(key).toBe("u");
    expect(receivedMs).toBe(NOW);
    expect(value.toString()).toBe(
      `{"event_id":"${id}","timestamp":${NOW},"event_type":"a","user_id":"u","payload":{"n":1.0}}`,
    );
  });

  test("with an id and a timestamp stays as it is", () => {
    const text = '{ "event_id" : "mine", "event_type":"a", "timestamp": 5 }';
    expect(one(text)).toMatchObject({ id: "mine", key: null });
    expect(one(text).value.toString()).toBe(text);
  });

  test("with only an id gets a timestamp, with only a timestamp an id", () => {
    expect(one('{"event_id":"mine","event_type":"a"}').value.toString()).toMatch(
      /^\{"timestamp":\d+,"event_id":"mine","event_type":"a"\}$/,
    );
    expect(one('{"timestamp":5,"event_type":"a"}').value.toString()).toMatch(
      /^\{"event_id":"[^"]+","timestamp":5,"event_type":"a"\}$/,
    );
  });

  test.each([
    ['\ufeff{"event_type":"a"}', "a byte order mark"],
    [' \r\n\t{"event_type":"a"}\n ', "white space around it"],
    ['{\n  "event_type": "a"\n}', "line breaks in it"],
  ])("%j: %s", (text) => {
    const event = one(text);
    expect(JSON.parse(event.value.toString())).toEqual({
      event_id: event.id,
      timestamp: event.receivedMs,
      event_type: "a",
    });
    expect(event.value.toString().trim()).toBe(event.value.toString());
  });

  test("keeps digits that a JavaScript number would lose", () => {
    expect(one('{"event_type":"a","payload":{"n":12345678901234567890}}').value.toString()).toContain(
      "12345678901234567890",
    );
  });

  test("does not keep a much larger body in memory", () => {
    const padded = `${" ".repeat(100_000)}{"event_type":"a","event_id":"e","timestamp":1}`;
    const { value } = one(padded);
    // A substring would be a view of the whole body.
    expect(value).toBeInstanceOf(Buffer);
    expect((value as Buffer).buffer.byteLength).toBeLessThan(50_000);
  });

  test.each(["", "  ", "{", "{'event_type':'a'}", '{"event_type":"a"} x', "\ufeff", "NaN"])(
    "%j is not JSON",
    (text) => {
      expect(no(text).code).toBe("not_json");
    },
  );

  test("arrays that are nested too deeply are rejected", () => {
    expect(no("[".repeat(300_000) + "]".repeat(300_000)).code).toBe("invalid_event");
    expect(no("[".repeat(300_000)).code).toBe("not_json");
  });

  test.each([[[0xff, 0xfe, 0x7b, 0x00]], [[0x22, 0xc3, 0x28, 0x22]], [[0x22, 0xed, 0xa0, 0x80, 0x22]]])(
    "bytes %j are not UTF-8",
    (raw) => {
      expect(no(Buffer.from(raw)).code).toBe("bad_encoding");
    },
  );

  test("an invalid event is rejected with its members and its event_id", () => {
    const rejection = no('{"event_id":"mine","event_type":7,"extra":1}');
    expect(rejection.code).toBe("invalid_event");
    expect(rejection.more.eventId).toBe("mine");
    expect(rejection.more.errors?.map((e) => e.pointer).sort()).toEqual(["/event_type", "/extra"]);
    expect(no('{"event_type":7}').detail).toBe("/event_type must be a string, got a number.");
  });

  test("lengths count code points, in the response's event_id too", () => {
    const longest = "\u{1F600}".repeat(128);
    expect(one(JSON.stringify({ event_type: longest, event_id: longest })).id).toBe(longest);
    expect(no(JSON.stringify({ event_type: 7, event_id: longest })).more.eventId).toBe(longest);
    expect(no(JSON.stringify({ event_type: 7, event_id: `${longest}x` })).more.eventId).toBeUndefined();
  });

  test("a member named __proto__ is unknown", () => {
    expect(no('{"event_type":"a","__proto__":{"event_id":"x"}}').code).toBe("invalid_event");
  });
});

describe.each(["array", "ndjson"] as const)("many as %s", (format) => {
  const write = (events: string[]) => (format === "array" ? `[${events.join(",\n ")}]` : events.join("\n"));

  test("each event has its own id and bytes", () => {
    const events = many(
      write(['{"event_type":"a"}', '{"event_type":"ü","event_id":"mine","timestamp":1}']),
      format,
    );
    const [first, second] = events as EncodedEvent[];
    expect(first!.value.toString()).toEndWith(',"event_type":"a"}');
    expect(second!.value.toString()).toBe('{"event_type":"ü","event_id":"mine","timestamp":1}');
    expect(new Set(events.map((e) => (e as EncodedEvent).id)).size).toBe(2);
  });

  test("an invalid event does not affect the others", () => {
    const events = many(write(['{"event_type":"a"}', '{"event_type":1}', "3", '{"event_type":"b"}']), format);
    expect(events.map((e) => (e instanceof Rejection ? e.code : "taken"))).toEqual([
      "taken",
      "invalid_event",
      "invalid_event",
      "taken",
    ]);
  });

  test("an event keeps no bytes of another in memory", () => {
    const [event] = many(
      write([`{"event_type":"a","event_id":"e","timestamp":1}`, `{"event_type":"${"x".repeat(60_000)}"}`]),
      format,
    );
    expect(((event as EncodedEvent).value as Buffer).buffer.byteLength).toBeLessThan(20_000);
  });

  test("an event that is too large is rejected alone", () => {
    const events = many(
      write([`{"event_type":"a","payload":{"p":"${"x".repeat(1_000)}"}}`, '{"event_type":"a"}']),
      format,
    );
    expect(events.map((e) => e instanceof Rejection)).toEqual([true, false]);
  });

  test("nothing larger than the limit of an event is ever parsed", () => {
    const small = "[],".repeat(limits.maxEventBytes);
    const bodies = [
      write(["1", `[${small}[]]`, '{"event_type":"a"}']),
      `[${small}[]]`,
      `{"payload":[${small}[]]}`,
      `[${small}`,
    ];
    const parse = spyOn(JSON, "parse");
    try {
      for (const body of bodies) decodeEvents(bytes(body), format, limits);
      const longest = Math.max(0, ...parse.mock.calls.map(([text]) => String(text).length));
      expect(longest).toBeLessThanOrEqual(limits.maxEventBytes);
    } finally {
      parse.mockRestore();
    }
  });

  test("a batch above the limit of events is rejected as a whole", () => {
    const events = decodeEvents(bytes(write(new Array(6).fill('{"event_type":"a"}'))), format, limits);
    expect(events).toBeInstanceOf(Rejection);
    expect((events as Rejection).code).toBe("too_large");
  });

  test("an empty batch is rejected", () => {
    expect(decodeEvents(bytes(write([])), format, limits)).toMatchObject({
      code: format === "array" ? "invalid_event" : "invalid_event",
    });
  });
});

describe("an array", () => {
  test.each(['{"event_type":"a"}', "3", '"text"', "null"])("%j is no array", (text) => {
    expect(decodeEvents(bytes(text), "array", limits)).toMatchObject({ code: "invalid_event" });
  });
  test.each([
    '[{"event_type":"a"}',
    '[{"event_type":"a"}]]',
    '[{"event_type":"a"},]',
    '[{"event_type":"a"},{]',
  ])("%j is not JSON, and no event of it is taken", (text) => {
    expect(decodeEvents(bytes(text), "array", limits)).toMatchObject({ code: "not_json" });
  });
});

describe("an empty element of an array is reported as a superfluous comma", () => {
  test.each([
    ['[{"event_type":"a"},]', "trailing comma"],
    ['[{"event_type":"a"} , \n]', "trailing comma"],
    ['[{"event_type":"a"},,{"event_type":"b"}]', "no element before its comma 2"],
    ['[,{"event_type":"a"}]', "no element before its comma 1"],
    ["[,]", "no element before its comma 1"],
  ])("%j", (text, detail) => {
    expect(decodeEvents(bytes(text), "array", limits)).toMatchObject({
      code: "not_json",
      detail: expect.stringContaining(detail),
    });
  });
});

describe("lines", () => {
  test("a line that is not UTF-8 is rejected alone", () => {
    const event = bytes('{"event_type":"ü"}');
    const broken = Buffer.concat([bytes('{"event_type":"'), Buffer.from([0xff]), bytes('"}')]);
    const cut = event.subarray(0, event.indexOf(0xc3) + 1); // ends within a character
    const newline = bytes("\n");
    const body = Buffer.concat([event, newline, broken, newline, cut, newline, event]);
    const events = decodeEvents(body, "ndjson", limits) as (EncodedEvent | Rejection)[];
    expect(events.map((e) => (e instanceof Rejection ? e.code : "taken"))).toEqual([
      "taken",
      "bad_encoding",
      "bad_encoding",
      "taken",
    ]);
    expect((events[3] as EncodedEvent).value.toString()).toEndWith('"event_type":"ü"}');
    expect(decodeEvents(Buffer.concat([bytes("["), broken, bytes("]")]), "array", limits)).toMatchObject({
      code: "bad_encoding",
    });
  });
  test("blank lines and carriage returns are skipped", () => {
    expect(many('\ufeff{"event_type":"a"}\r\n\r\n  \n{"event_type":"b"}\n\n', "ndjson")).toHaveLength(2);
  });
  test("a line that is not JSON is rejected alone", () => {
    const events = many('{"event_type":"a"}\n{"event_type":\n{"event_type":"b"}', "ndjson");
    expect(events.map((e) => (e instanceof Rejection ? e.code : "taken"))).toEqual([
      "taken",
      "not_json",
      "taken",
    ]);
  });
  test("two objects on one line are not two events", () => {
    expect(many('{"event_type":"a"},{"event_type":"b"}', "ndjson")).toMatchObject([{ code: "not_json" }]);
  });
});

// Fault: an event nested 40,000 deep was accepted. Whatever walked over it later took seconds, or its stack ran out.
describe("an event that is nested too deep", () => {
  const nested = (depth: number) =>
    `{"event_type":"a","payload":{"d":${"[".repeat(depth)}${"]".repeat(depth)}}}`;

  test("is rejected, and one level less is not", () => {
    // The event and its payload are two levels.
    expect(decodeEvent(nested(126), limits)).not.toBeInstanceOf(Rejection);
    for (const depth of [127, 40_000])
      expect(decodeEvent(nested(depth), limits)).toMatchObject({
        code: "invalid_event",
        detail: "The event must not be nested more than 128 levels deep.",
      });
  });

  test.each(["array", "ndjson"] as const)("costs only itself in a batch (%s)", (format) => {
    const events = [nested(1), nested(127), nested(1)];
    const body = format === "array" ? `[${events}]` : events.join("\n");
    expect(decodeEvents(bytes(body), format, limits)).toMatchObject([
      { key: null },
      { code: "invalid_event" },
      { key: null },
    ]);
  });
});
