import { describe, expect, test } from "bun:test";
import { type DecodedEvent, decode } from "../../decode.ts";
import type { EventContext } from "../../handler.ts";
import { jsonLine, prettyLine } from "./line.ts";

function contextOf(text: string, more: Partial<EventContext> = {}): EventContext {
  return {
    topic: "events",
    partition: 3,
    offset: 42,
    key: "user-1",
    timestampMs: 1,
    headers: [],
    value: Buffer.from(text),
    text,
    tries: 1,
    deadLetter: async () => {},
    signal: new AbortController().signal,
    ...more,
  };
}

/** Decodes the text first, as the loop does. */
function lineOf(text: string, more: Partial<EventContext> = {}, toLine = jsonLine("consumer")): string {
  const { event } = decode(Buffer.from(text), 1_000) as DecodedEvent;
  expect(event).toBeDefined();
  return toLine(event, contextOf(text, more));
}

const plain = '{"event_id":"e1","timestamp":5,"event_type":"page_view","payload":{"n":1}}';

/** Valid events meant to break a line, a parser or a terminal. */
const hostile: [string, string][] = [
  [
    "line breaks between tokens",
    '{\n"event_id":"e1",\r\n"timestamp":5,"event_type":"t",\n"payload":{\n"a":\n1}\n}\n',
  ],
  ["white space before the object", '  \t{"event_id":"e1","timestamp":5,"event_type":"t"}'],
  [
    "escaped line breaks in strings",
    '{"event_id":"e1","timestamp":5,"event_type":"t","payload":{"a":"x\\ny\\r\\u000a"}}',
  ],
  [
    "quotes and braces in strings",
    '{"event_id":"e\\"}{","timestamp":5,"event_type":"\\"}\\n{\\"message\\":\\"x","payload":{}}',
  ],
  [
    "the line's own members inside the payload",
    '{"event_id":"e1","timestamp":5,"event_type":"t","payload":{"offset":7,"message":"stopped","level":"fatal"}}',
  ],
  [
    "line separators",
    '{"event_id":"e1","timestamp":5,"event_type":"t","payload":{"a":"\u2028\u2029\u0085"}}',
  ],
  [
    "repeated members",
    '{"event_id":"first","event_id":"e1","timestamp":5,"event_type":"t","payload":{"a":1},"payload":{"b":2}}',
  ],
  [
    "large and precise numbers",
    '{"event_id":"e1","timestamp":5,"event_type":"t","payload":{"n":12345678901234567890,"m":1.0000000000000000001e-400}}',
  ],
  [
    "deep nesting",
    `{"event_id":"e1","timestamp":5,"event_type":"t","payload":{"a":${"[".repeat(500)}${"]".repeat(500)}}}`,
  ],
  [
    "other scripts and emoji",
    '{"event_id":"é日本💥","timestamp":5,"event_type":"t","payload":{"ключ":"💣"}}',
  ],
  ["lone surrogates, escaped", '{"event_id":"\\ud800","timestamp":5,"event_type":"t"}'],
  [
    "__proto__",
    '{"event_id":"e1","timestamp":5,"event_type":"t","payload":{"__proto__":{"a":1},"constructor":1}}',
  ],
  ["no payload", '{"event_id":"e1","timestamp":5,"event_type":"t"}'],
];

describe("jsonLine", () => {
  test("contains topic, partition, offset, key and the event's members", () => {
    expect(JSON.parse(lineOf(plain))).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      name: "consumer",
      message: "event",
      topic: "events",
      partition: 3,
      offset: 42,
      key: "user-1",
      event_id: "e1",
      timestamp: 5,
      event_type: "page_view",
      payload: { n: 1 },
    });
  });

  test.each(hostile)("%s: one line, with the line's own members and the event's", (_name, text) => {
    const line = lineOf(text);
    expect(line.indexOf("\n")).toBe(line.length - 1);
    expect(line).not.toContain("\r");
    const parsed = JSON.parse(line);
    expect(parsed).toMatchObject({
      message: "event",
      topic: "events",
      partition: 3,
      offset: 42,
      key: "user-1",
      ...JSON.parse(text),
    });
  });

  test("numbers keep the caller's digits", () => {
    expect(lineOf(hostile.find(([name]) => name.includes("numbers"))![1])).toContain(
      '{"n":12345678901234567890,"m":1.0000000000000000001e-400}',
    );
  });

  test.each([null, "", 'a"b', "line\nbreak", "\u0000", "\ud800"])("the key may be %j", (key) => {
    const line = lineOf(plain, { key });
    expect(line.trimEnd()).not.toContain("\n");
    expect(JSON.parse(line).key).toBe(key);
  });

  test("follows a change of partition and topic", () => {
    const toLine = jsonLine("consumer");
    const places = [
      ["events", 1],
      ["events", 2],
      ["other", 2],
      ["events", 1],
    ] as const;
    for (const [topic, partition] of places)
      expect(JSON.parse(lineOf(plain, { topic, partition }, toLine))).toMatchObject({ topic, partition });
  });
});

// Fault: text with line breaks was serialised again, which took 1.3 s for each try of such an event, and then failed.
test("text with line breaks is copied, however deep it is nested", () => {
  const text = `{"event_id":"e1","timestamp":5,\n"event_type":"t","payload":{"a":${"[".repeat(40_000)}\r\n${"]".repeat(40_000)}}}`;
  const event = { event_id: "e1", timestamp: 5, event_type: "t" };
  const line = jsonLine("consumer")(event, contextOf(text));
  expect(line).toEndWith(`,${text.slice(1).replace(/[\r\n]+/g, " ")}\n`);
});

describe("prettyLine", () => {
  test.each(hostile)("%s: one line, without control characters except its own colours", (_name, text) => {
    const line = lineOf(text, {}, prettyLine());
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the test looks for them.
    const bare = line.replace(/\x1b\[(0|2|36)m/g, "");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the same.
    expect(bare).toMatch(/^[^\x00-\x1f\x7f-\x9f]+\n$/);
    expect(bare).toContain("events[3]@42");
  });

  test("a caller's escape sequence doesn't reach the terminal", () => {
    const text =
      '{"event_id":"\\u001b[2J","timestamp":5,"event_type":"\\u001b]0;x\\u0007","payload":{"a":"\\u009b1m"}}';
    const line = lineOf(text, { key: "\x1b[1m" }, prettyLine());
    expect(line).not.toContain("\x1b[2J");
    expect(line).not.toContain("\x1b[1m");
    expect(line).not.toContain("\x1b]");
    expect(line).not.toContain("\u009b");
  });
});
