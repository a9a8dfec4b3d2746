// Both forms of a CloudEvent in Kafka, as the official SDK writes them, give handlers the same event.
import { describe, expect, test } from "bun:test";
import { CloudEvent, Kafka } from "cloudevents";
import type { DecodedEvent } from "./decode.ts";
import { decodeRecord } from "./decode-record.ts";

const attributes = {
  id: "e-1",
  source: "/shop",
  type: "order.created",
  time: "2026-01-31T12:00:00.123Z",
  subject: "größer",
  tenant: "a",
};

function recordOf(headers: Record<string, string>, value: string | Buffer | null, key: string | null = "k") {
  return {
    headers: Object.entries(headers)
      // The SDK sets attributes without a value.
      .filter(([, text]) => text !== undefined)
      .map(([name, text]) => [name, Buffer.from(text)] as const),
    key: key === null ? null : Buffer.from(key),
    timestampMs: 1_770_000_000_000,
    value: value === null ? null : Buffer.from(value),
  };
}

function decoded(record: ReturnType<typeof recordOf>): DecodedEvent {
  const result = decodeRecord(record, 128);
  if (typeof result === "string") throw new Error(result);
  // The text is what handlers that copy it write.
  expect(JSON.parse(result.text)).toEqual(result.event as object);
  return result;
}

const binary = { ce_specversion: "1.0", ce_id: "e-1", ce_source: "/shop", ce_type: "order.created" };

test.each(["binary", "structured"] as const)("the SDK's %s mode", (mode) => {
  const { headers, value } = Kafka[mode](
    new CloudEvent({ ...attributes, datacontenttype: "application/json", data: { n: 1 } }),
  );
  const text = typeof value === "string" ? value : JSON.stringify(value);
  const { event } = decoded(recordOf(headers as Record<string, string>, text));
  expect(event).toEqual({
    event_id: "e-1",
    event_type: "order.created",
    user_id: "k",
    timestamp: attributes.time,
    payload: { n: 1 },
    cloudevent: {
      specversion: "1.0",
      source: "/shop",
      subject: "größer",
      tenant: "a",
      datacontenttype: "application/json",
    },
  });
});

describe("the data", () => {
  const read = (contentType: string, value: string | Buffer) =>
    decoded(recordOf({ ...binary, "content-type": contentType }, value, null));

  test("keeps its digits in the text", () => {
    expect(read("application/json", ' {"n":12345678901234567890}\n').text).toContain(
      '"payload":{"n":12345678901234567890},',
    );
  });

  test.each(["3", "[1]", '"text"', "null", "true"])("JSON %s is the payload", (value) => {
    expect(read("application/json", value).event.payload).toEqual(JSON.parse(value));
  });

  test("of another type is text where it is text, and otherwise bytes", () => {
    expect(read("text/plain", 'a\n"b"').event.payload).toBe('a\n"b"');
    const { event } = read("image/png", Buffer.from([0xff, 0x00]));
    expect(event.cloudevent).toMatchObject({ datacontenttype: "image/png", data_base64: "/wA=" });
    expect(event).not.toHaveProperty("payload");
    expect(event).not.toHaveProperty("user_id");
  });

  test("may be absent, and so may the time: then it is the record's", () => {
    for (const value of [null, ""]) {
      const { event } = decoded(recordOf(binary, value));
      expect(event).not.toHaveProperty("payload");
      expect(event.timestamp).toBe(1_770_000_000_000);
    }
  });
});

test("an event with attributes in headers has them, and one with other headers has none", () => {
  const json = '{"event_id":"e","timestamp":1,"event_type":"t","payload":{"a":1}} \n';
  const { event } = decoded(recordOf({ ce_source: "/shop", ce_tenant: "a", trace: "x" }, json));
  expect(event).toEqual({ ...JSON.parse(json), cloudevent: { source: "/shop", tenant: "a" } });
  expect(decoded(recordOf({ trace: "x" }, json))).toEqual({ event: JSON.parse(json), text: json });
});

test.each([
  [{ ce_specversion: "0.3", ce_id: "1" }, "{}", "/specversion"],
  [{ ...binary, ce_id: "" }, "{}", "/id must not be empty"],
  [{ ...binary, "content-type": "application/json" }, "{", "the data is not JSON"],
  [{ ...binary, "content-type": "application/json" }, `${"[".repeat(128)}${"]".repeat(128)}`, "nested more"],
  [{ "content-type": "application/cloudevents+json" }, "{", "the value is not JSON"],
  [{ "content-type": "application/cloudevents+json" }, null, "no value"],
  [{ "content-type": "application/cloudevents+json" }, '{"id":"1"}', "/specversion is required"],
])("%j with %.20j is not an event: %s", (headers, value, why) => {
  expect(decodeRecord(recordOf(headers as unknown as Record<string, string>, value), 128)).toContain(why);
});
