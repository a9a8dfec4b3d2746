// CloudEvents through the application: as the official SDK sends them, and read back from the records by its Kafka binding.
import { afterEach, describe, expect, test } from "bun:test";
import { CloudEvent, type CloudEventV1, HTTP, Kafka, type Message } from "cloudevents";
import type { EncodedEvent } from "../../delivery/index.ts";
import type { EventCheck } from "../../events/event-check.ts";
import { Rejection } from "../../rejection.ts";
import { type Opened, TestApps, transports } from "../../testing/transports.ts";

const minimal = { specversion: "1.0", id: "e-1", source: "/shop", type: "order.created" };
const binaryHead = {
  "ce-specversion": "1.0",
  "ce-id": "e-1",
  "ce-source": "/shop",
  "ce-type": "order.created",
  "content-type": "application/json",
};
const attributes = {
  id: "e-1",
  source: "/shop/gr%C3%B6%C3%9Fer",
  type: "order.created",
  time: "2026-01-31T12:00:00.123Z",
  subject: 'Euro € 😀 "quoted" 100%',
  dataschema: "https://example.com/order.json",
  partitionkey: "customer 7",
  tenant: "a",
  retries: 3,
  urgent: true,
};

/** What a reader of the topic gets. */
function headersOf({ headers = [] }: EncodedEvent): Record<string, string> {
  return Object.fromEntries(headers.map(([name, value]) => [name, String(value)]));
}

/** The record as the SDK's Kafka binding reads it: with its headers, and its value as text. */
function readBySdk(
  record: EncodedEvent,
  value: string | Buffer = record.value.toString(),
): CloudEventV1<unknown> {
  const message = { key: record.key, value, headers: headersOf(record), body: "" };
  return Kafka.toEvent(message as unknown as Message) as CloudEventV1<unknown>;
}

const send = ({ post }: Opened, path: string, { headers, body }: Message) =>
  post(path, body as string, headers as Record<string, string>);

async function taken(app: Opened, path: string, message: Message): Promise<EncodedEvent> {
  const response = await send(app, path, message);
  expect(response.status).toBe(202);
  return app.delivery.taken.at(-1)!;
}

describe.each(transports)("through %s", (transport) => {
  const apps = new TestApps(transport);
  afterEach(() => apps.closeAll());

  describe.each(["binary", "structured"] as const)("the SDK's %s mode", (mode) => {
    describe.each(["binary", "structured"] as const)("written as %s", (output) => {
      test.each(["/register_event", "/register_events"])(
        "%s: the SDK reads the same event back",
        async (path) => {
          const app = apps.open({ cloudEvents: { CLOUDEVENTS_OUTPUT: output } });
          const sent = new CloudEvent({
            ...attributes,
            datacontenttype: "application/json",
            data: { n: 1, s: "é" },
          });
          // The SDK leaves the encoding of header values to its caller.
          const message = HTTP[mode](sent);
          if (mode === "binary")
            for (const name of ["source", "subject", "partitionkey"] as const)
              message.headers[`ce-${name}`] = encodeURIComponent(attributes[name]);
          const record = await taken(app, path, message);
          expect(record).toMatchObject({ id: "e-1", key: "customer 7" });
          const read = readBySdk(record);
          // Headers have no types but text; the JSON format keeps them.
          const isText = mode === "binary" || output === "binary";
          expect({ ...read, time: read.time }).toMatchObject({
            ...attributes,
            specversion: "1.0",
            retries: isText ? "3" : 3,
            urgent: isText ? "true" : true,
            datacontenttype: "application/json",
            data: { n: 1, s: "é" },
          });
          const contentType = headersOf(record)["content-type"];
          expect(contentType).toBe(
            output === "binary" ? "application/json" : "application/cloudevents+json; charset=utf-8",
          );
        },
      );

      test("bytes are the same bytes", async () => {
        const app = apps.open({ cloudEvents: { CLOUDEVENTS_OUTPUT: output } });
        const bytes = Buffer.from([0, 0xff, 0x0a, 0x22, 0x80]);
        const sent = new CloudEvent({
          ...minimal,
          time: attributes.time,
          datacontenttype: "image/png",
          data: bytes,
        });
        const record = await taken(app, "/register_event", HTTP[mode](sent));
        if (output === "binary") expect(Buffer.from(record.value)).toEqual(bytes);
        else expect(readBySdk(record).data_base64).toBe(bytes.toString("base64"));
      });

      test("text is the same text", async () => {
        const app = apps.open({ cloudEvents: { CLOUDEVENTS_OUTPUT: output } });
        const sent = new CloudEvent({
          ...minimal,
          time: attributes.time,
          datacontenttype: "application/xml",
          data: '<much wow="xml">é</much>',
        });
        const record = await taken(app, "/register_event", HTTP[mode](sent));
        expect(readBySdk(record)).toMatchObject({
          datacontenttype: "application/xml",
          data: '<much wow="xml">é</much>',
        });
      });
    });
  });

  test("a batch has a result for each of its events, and each is a record", async () => {
    const app = apps.open();
    const batch = [
      { ...minimal, id: "1", data: { n: 12 } },
      { ...minimal, id: "2", specversion: "0.3" },
      { ...minimal, id: "3", data_base64: "AP8=" },
    ];
    const response = await app.post("/register_events", JSON.stringify(batch), {
      "content-type": "application/cloudevents-batch+json; charset=utf-8",
    });
    expect(response.status).toBe(207);
    expect(await response.json()).toMatchObject({
      results: [
        { index: 0, status: "accepted", event_id: "1" },
        { index: 1, status: "invalid", event_id: "2", errors: [{ pointer: "/specversion" }] },
        { index: 2, status: "accepted", event_id: "3" },
      ],
    });
    expect(app.delivery.taken.map((record) => Buffer.from(record.value).toString("latin1"))).toEqual([
      '{"n":12}',
      "\0\xff",
    ]);
  });

  test("an empty batch is taken, and has no results", async () => {
    const app = apps.open();
    const headers = { "content-type": "application/cloudevents-batch+json" };
    const response = await app.post("/register_events", "[]", headers);
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ results: [] });
    // One of events of this service is a mistake.
    expect((await app.post("/register_events", "[]")).status).toBe(422);
  });

  test("data keeps its bytes: digits, white space and repeated members", async () => {
    const app = apps.open();
    const data = '{ "n":12345678901234567890, "n":1.00 }';
    const json = `{"data" : ${data},"specversion":"1.0","id":"e","source":"/s","type":"t"}`;
    const record = await taken(app, "/register_event", {
      headers: { "content-type": "application/cloudevents+json" },
      body: json,
    });
    expect(record.value.toString()).toBe(data);
    expect(headersOf(record)["content-type"]).toBe("application/json");
    expect((await taken(app, "/register_event", { headers: binaryHead, body: data })).value.toString()).toBe(
      data,
    );
  });

  test("an event without data is written in the structured mode: a record without a value is a tombstone", async () => {
    const app = apps.open();
    const { "content-type": _, ...headers } = binaryHead;
    const record = await taken(app, "/register_event", {
      headers: { ...headers, "content-type": "text/plain" },
      body: "",
    });
    expect(headersOf(record)).toEqual({ "content-type": "application/cloudevents+json; charset=utf-8" });
    expect(JSON.parse(record.value.toString())).toEqual({ ...minimal, datacontenttype: "text/plain" });
  });

  test.each([
    [{}, null],
    [{ subject: "s" }, null],
    [{ partitionkey: "p", subject: "s" }, "p"],
  ])("%j has the key %j", async (more, key) => {
    const app = apps.open();
    const message = HTTP.structured(new CloudEvent({ ...minimal, ...more }));
    expect((await taken(app, "/register_event", message)).key).toBe(key);
  });

  test.each([
    [{ subject: "s" }, "s"],
    [{ partitionkey: "p", subject: "s" }, "p"],
  ])("with CLOUDEVENTS_KEY=subject, %j has the key %j", async (more, key) => {
    const app = apps.open({ cloudEvents: { CLOUDEVENTS_KEY: "subject" } });
    const message = HTTP.structured(new CloudEvent({ ...minimal, ...more }));
    expect((await taken(app, "/register_event", message)).key).toBe(key);
    const tooLong = HTTP.structured(new CloudEvent({ ...minimal, subject: "x".repeat(257) }));
    expect((await send(app, "/register_event", tooLong)).status).toBe(422);
  });

  describe("written as events of this service", () => {
    const cloudEvents = { CLOUDEVENTS_OUTPUT: "event" };

    test("the value is an event, and what an event has no member for is in headers", async () => {
      const app = apps.open({ cloudEvents });
      const json = JSON.stringify({ ...minimal, ...attributes, data: { a: 1 } });
      const record = await taken(app, "/register_event", {
        headers: { "content-type": "application/cloudevents+json" },
        body: json,
      });
      expect(JSON.parse(record.value.toString())).toEqual({
        event_id: "e-1",
        event_type: "order.created",
        user_id: "customer 7",
        timestamp: attributes.time,
        payload: { a: 1 },
      });
      expect(headersOf(record)).toEqual({
        ce_source: attributes.source,
        ce_subject: attributes.subject,
        ce_dataschema: attributes.dataschema,
        ce_partitionkey: "customer 7",
        ce_tenant: "a",
        ce_retries: "3",
        ce_urgent: "true",
      });
    });

    test.each([{ data: [1] }, { data: null }, { data: "text" }, { data_base64: "AA==" }])(
      "%j is not dropped but rejected, since a payload is an object",
      async (data) => {
        const app = apps.open({ cloudEvents });
        const body = JSON.stringify({ ...minimal, ...data });
        const response = await app.post("/register_event", body, {
          "content-type": "application/cloudevents+json",
        });
        expect(response.status).toBe(422);
        expect(await response.json()).toMatchObject({
          event_id: "e-1",
          errors: [{ pointer: "/data", message: expect.stringContaining("CLOUDEVENTS_OUTPUT") }],
        });
      },
    );
  });

  describe("a request that is not a CloudEvent is told which attribute is wrong", () => {
    test.each([
      [
        { "ce-specversion": "0.3" },
        'ce-specversion is "0.3", which is not supported: send 1.0.',
        "/specversion",
      ],
      [{ "ce-id": "" }, "ce-id must not be empty.", "/id"],
      [{ "ce-id": "x".repeat(129) }, "ce-id is longer than 128 characters.", "/id"],
      [{ "ce-my-ext": "x" }, "ce-my-ext is not the name", "/my-ext"],
      [{ "ce-subject": "%C0%A0" }, "ce-subject must be percent-encoded UTF-8.", "/subject"],
      [{ "ce-time": "now" }, "ce-time must be an RFC 3339", "/time"],
      [{ "ce-datacontenttype": "text/plain" }, "Content-Type must not be sent", "/datacontenttype"],
      [{ "content-type": "nonsense" }, "Content-Type must be a media type", "/datacontenttype"],
    ])("binary, %j", async (fields, detail, pointer) => {
      const app = apps.open();
      const response = await app.post("/register_event", "{}", { ...binaryHead, ...fields });
      expect(response.status).toBe(422);
      expect(await response.json()).toMatchObject({
        code: "invalid_event",
        detail: expect.stringContaining(detail),
        errors: [{ pointer }],
      });
    });

    test("binary, each required header that is missing", async () => {
      const app = apps.open();
      const response = await app.post("/register_event", "{}", { "ce-type": "t" });
      expect(await response.json()).toMatchObject({
        detail: "ce-specversion is required.",
        errors: [{ pointer: "/specversion" }, { pointer: "/id" }, { pointer: "/source" }],
      });
    });

    test.each([
      ["{", 400, "not_json"],
      [Buffer.from([0x22, 0xff, 0x22]), 400, "bad_encoding"],
      [`${"[".repeat(128)}${"]".repeat(128)}`, 422, "invalid_event"],
      [`"${"x".repeat(9_990)}"`, 413, "too_large"],
    ])("binary, data %#", async (body, status, code) => {
      const app = apps.open();
      const response = await app.post("/register_event", body, binaryHead);
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({ code });
      expect(app.delivery.taken).toEqual([]);
    });

    test("structured, more in the framing of its headers than a record may have", async () => {
      const app = apps.open();
      const extensions = Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`${i}`, 1]));
      const response = await app.post(
        "/register_event",
        JSON.stringify({ ...minimal, ...extensions, data: {} }),
        {
          "content-type": "application/cloudevents+json",
        },
      );
      expect(response.status).toBe(413);
      expect(await response.json()).toMatchObject({ code: "too_large", event_id: "e-1" });
      expect(app.delivery.taken).toEqual([]);
    });

    test.each([
      ["{}", 422, "invalid_event"],
      ["[]", 422, "invalid_event"],
      ["{", 400, "not_json"],
      ["", 400, "not_json"],
      [JSON.stringify({ ...minimal, specversion: "0.3" }), 422, "invalid_event"],
      [JSON.stringify({ event_type: "an event of this service" }), 422, "invalid_event"],
      [`{"data":${"[".repeat(128)}${"]".repeat(128)}}`, 422, "invalid_event"],
    ])("structured, %.60s", async (body, status, code) => {
      const app = apps.open();
      const response = await app.post("/register_event", body, {
        "content-type": "application/cloudevents+json",
      });
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({ code });
    });

    test.each([
      ["/register_event", "application/cloudevents-batch+json"],
      ["/register_event", "application/cloudevents+avro"],
      ["/register_events", "application/cloudevents+xml"],
      ["/register_event", "application/cloudevents+json; charset=utf-16"],
    ])("%s: %s is 415", async (path, type) => {
      const app = apps.open();
      // Headers of the binary mode may be present in the others.
      const response = await app.post(path, "[]", { ...binaryHead, "content-type": type });
      expect(response.status).toBe(415);
    });
  });

  test("a page of an allowed origin may send attributes, extensions included", async () => {
    const app = apps.open({ edge: { CORS_ALLOWED_ORIGINS: ["https://shop.example"] } });
    const response = await app.send("/register_event", {
      method: "OPTIONS",
      headers: {
        origin: "https://shop.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "ce-id,ce-myext,x-other",
      },
    });
    const allowed = response.headers.get("access-control-allow-headers")!.split(", ");
    expect(allowed).toContain("ce-id");
    expect(allowed).toContain("ce-myext");
    expect(allowed).not.toContain("x-other");
  });
});

test("checks see a CloudEvent's type, and its data as the payload", async () => {
  const { createFormats } = await import("../index.ts");
  const limits = { maxEventBytes: 1_000, maxBatchEvents: 5, maxJsonDepth: 9 };
  const formatOf = createFormats(limits, { CLOUDEVENTS_OUTPUT: "binary", CLOUDEVENTS_KEY: "partitionkey" });
  const { Body, RequestHead } = await import("@ingest/http-server");
  const head = new RequestHead(
    "POST",
    "/",
    new Map([["content-type", "application/cloudevents+json"]]),
    0,
    true,
    false,
  );
  const format = formatOf(head, "application/cloudevents+json");
  if (format instanceof Rejection) throw new Error(format.detail);
  const seen: unknown[] = [];
  const check: EventCheck = (event, input) => {
    seen.push(input);
    return { ...event, topic: "routed" };
  };
  const body = Body.of(
    Buffer.from(JSON.stringify({ ...minimal, partitionkey: "k", time: attributes.time, data: [1] })),
  );
  expect(format.decodeOne(body, undefined, check)).toMatchObject({ id: "e-1", topic: "routed" });
  expect(seen).toEqual([
    { event_type: "order.created", event_id: "e-1", user_id: "k", timestamp: attributes.time, payload: [1] },
  ]);
});
