import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import type { StoredEvent } from "@ingest/contract";
import { type EventContext, PermanentFailure } from "../../handler.ts";
import { createWebhook } from "./webhook.ts";

let respond: (request: Request) => Response | Promise<Response> = () => new Response();
const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: (request) => respond(request) });
afterAll(() => server.stop(true));
beforeEach(() => {
  respond = () => new Response();
});

const event: StoredEvent = { event_id: "e 1/é%", event_type: "page_view", timestamp: 1 };
const text = '{"event_id":"e 1/é%","event_type":"page_view","timestamp":1}';

function post(timeoutMs = 5_000, signal = new AbortController().signal) {
  const context: EventContext = {
    topic: "events",
    partition: 1,
    offset: 2,
    key: null,
    timestampMs: 1,
    headers: {},
    text,
    tries: 1,
    signal,
  };
  return Promise.resolve(createWebhook({ url: server.url.href, timeoutMs }).handle(event, context));
}

describe("webhook", () => {
  test("posts the record's JSON, with its event_id, topic, partition and offset", async () => {
    let got: { body: string; headers: Headers } | undefined;
    respond = async (request) => {
      got = { body: await request.text(), headers: request.headers };
      return new Response(null, { status: 204 });
    };
    await post();
    expect(got?.body).toBe(text);
    expect(Object.fromEntries(got!.headers)).toMatchObject({
      "content-type": "application/json",
      "idempotency-key": "e%201/%C3%A9%25",
      "event-type": "page_view",
      "kafka-topic": "events",
      "kafka-partition": "1",
      "kafka-offset": "2",
    });
  });

  test.each([500, 502, 503, 429, 408, 409, 425])("%p is retried", async (status) => {
    respond = () => new Response("busy", { status });
    const failure = await post().catch((error) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(failure).not.toBeInstanceOf(PermanentFailure);
    expect(failure.message).toContain(`responded ${status}: busy`);
  });

  test.each([400, 401, 404, 410, 422, 301])("%p is a permanent failure", async (status) => {
    respond = () => new Response("no", { status });
    await expect(post()).rejects.toBeInstanceOf(PermanentFailure);
  });

  test("a timeout is retried", async () => {
    respond = () => new Promise(() => {});
    const failure = await post(20).catch((error) => error);
    expect(failure.name).toBe("TimeoutError");
  });

  test("ends when the partition is revoked", async () => {
    respond = () => new Promise(() => {});
    const controller = new AbortController();
    const posting = post(60_000, controller.signal);
    controller.abort();
    await expect(posting).rejects.toThrow();
  });
});
