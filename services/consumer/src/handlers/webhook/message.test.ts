// What the webhook posts of a CloudEvent is read by the official SDK.
import { expect, test } from "bun:test";
import { CloudEvent, HTTP, Kafka } from "cloudevents";
import type { EventContext } from "../../handler.ts";
import { toMessage } from "./message.ts";

const contextOf = (fields: Record<string, string>, value: string, text: string) =>
  ({
    headers: Object.entries(fields)
      // The SDK sets attributes without a value.
      .filter(([, header]) => header !== undefined)
      .map(([name, header]) => [name, Buffer.from(header)] as const),
    value: Buffer.from(value),
    text,
  }) as unknown as EventContext;

test.each(["binary", "structured"] as const)("a CloudEvent in the %s mode is posted in it", (mode) => {
  const sent = new CloudEvent({
    id: "1",
    source: "/s",
    type: "t",
    time: "2026-01-31T12:00:00.000Z",
    subject: "Euro € 100%",
    tenant: "a",
    datacontenttype: "application/json",
    data: { n: 1 },
  });
  const record = Kafka[mode](sent);
  const value = typeof record.value === "string" ? record.value : JSON.stringify(record.value);
  const { headers, body } = toMessage(contextOf(record.headers as Record<string, string>, value, "unused"));
  expect(body.toString()).toBe(value);
  const read = HTTP.toEvent({ headers, body: body.toString() }) as CloudEvent<unknown>;
  if (mode === "binary") {
    expect(headers["ce-subject"]).toBe("Euro%20%E2%82%AC%20100%25");
    expect(headers).not.toHaveProperty("ce-datacontenttype");
  }
  // The SDK does not decode header values.
  const subject = mode === "binary" ? "Euro%20%E2%82%AC%20100%25" : "Euro € 100%";
  expect(read).toMatchObject({ id: "1", source: "/s", type: "t", tenant: "a", data: { n: 1 }, subject });
});

test.each([
  [
    { "content-type": "Application/CloudEvents+JSON; charset=UTF-8" },
    "application/cloudevents+json; charset=utf-8",
  ],
  [{ ce_specversion: "1.0", "content-type": "application/json" }, "application/json"],
])(
  "JSON behind a registry's prefix is posted without it, in a spelling that SDKs know: %j",
  (fields, type) => {
    const message = toMessage(contextOf(fields, `\0\0\0\0\u0001{"n":1}`, "unused"));
    expect(message.body.toString()).toBe('{"n":1}');
    expect(message.headers["content-type"]).toBe(type);
  },
);

test("bytes that begin like that prefix are posted as they are", () => {
  const fields = { ce_specversion: "1.0", "content-type": "image/png" };
  expect(toMessage(contextOf(fields, "\0\0\0\0\u0001x", "unused")).body.toString()).toBe("\0\0\0\0\u0001x");
});

test("another event is posted as its JSON, whatever headers its record has", () => {
  expect(toMessage(contextOf({ trace: "x" }, "value", "text"))).toEqual({
    body: "text",
    headers: { "content-type": "application/json" },
  });
});
