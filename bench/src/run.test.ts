// Whole runs against a server in this process that responds as the API does, or deliberately not.
import { describe, expect, test } from "bun:test";
import { NothingListensError } from "./http/listening.ts";
import { type Options, parseOptions } from "./options.ts";
import { exitCodeOf } from "./outcome.ts";
import { type Progress, run } from "./run.ts";
import { type EventTopic, TopicUnreachableError } from "./verify/event-topic.ts";

type Event = { event_id: string; user_id?: string };
/** Responds to request n with these events. */
type Respond = (events: Event[], n: number, request: Request) => Response | Promise<Response>;

const single: Respond = ([event]) =>
  Response.json({ status: "accepted", event_id: event!.event_id }, { status: 202 });
const batch: Respond = (events) => {
  const results = events.map(({ event_id }, index) => ({ index, event_id, status: "accepted" }));
  return Response.json({ results }, { status: 202 });
};
const refusal = (status: number, code: string) =>
  Response.json(
    { code, status },
    { status, headers: { "Content-Type": "application/problem+json", "Retry-After": "1" } },
  );

function serve(respond: Respond) {
  const seen = {
    paths: new Set<string>(),
    types: new Set<string | null>(),
    prefer: new Set<string | null>(),
    ids: [] as string[],
  };
  let n = 0;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const text = await request.text();
      const type = request.headers.get("content-type");
      const events = (
        type === "application/x-ndjson"
          ? text
              .trimEnd()
              .split("\n")
              .map((line) => JSON.parse(line) as Event)
          : [JSON.parse(text) as Event].flat()
      ) as Event[];
      seen.paths.add(new URL(request.url).pathname);
      seen.types.add(type);
      seen.prefer.add(request.headers.get("prefer"));
      seen.ids.push(...events.map(({ event_id }) => event_id));
      return await respond(events, n++, request);
    },
  });
  return { seen, url: server.url.href, [Symbol.asyncDispose]: () => server.stop(true) };
}

const options = (url: string, ...flags: string[]) => parseOptions(["--url", url, ...flags], {}) as Options;

describe.each(["socket", "fetch"])("with the %s client", (client) => {
  test("single events", async () => {
    await using service = serve(single);
    const report = await run(options(service.url, "--requests", "500", "--client", client));
    expect(service.seen.paths).toEqual(new Set(["/register_event"]));
    expect(service.seen.types).toEqual(new Set(["application/json"]));
    expect(service.seen.prefer).toEqual(new Set([null]));
    expect(new Set(service.seen.ids).size).toBe(500);
    expect(report.requests).toMatchObject({ sent: 500, completed: 500, byStatus: { "202": 500 } });
    expect(report.events).toMatchObject({
      accepted: 500,
      refused: 0,
      unknown: 0,
      byStatus: { accepted: 500 },
    });
    expect(report.latencyMs.accepted?.count).toBe(500);
    expect(report.errors).toEqual({});
    expect(exitCodeOf(report)).toBe(0);
  });

  test.each(["json", "ndjson"])("batches as %s", async (format) => {
    await using service = serve(batch);
    const report = await run(
      options(service.url, "--requests", "20", "--batch", "50", "--format", format, "--client", client),
    );
    expect(service.seen.paths).toEqual(new Set(["/register_events"]));
    expect(service.seen.types).toEqual(
      new Set([format === "json" ? "application/json" : "application/x-ndjson"]),
    );
    expect(new Set(service.seen.ids).size).toBe(1000);
    expect(report.events).toMatchObject({ offered: 1000, accepted: 1000 });
    expect(report.requests.completed).toBe(20);
  });

  test("refusals are counted by status and code, not as errors", async () => {
    await using service = serve((events, n, request) =>
      n % 5 === 0
        ? refusal(503, "queue_full")
        : n % 5 === 1
          ? refusal(422, "invalid_event")
          : single(events, n, request),
    );
    const report = await run(options(service.url, "--requests", "100", "--client", client));
    expect(report.requests.byStatus).toEqual({ "202": 60, "422": 20, "503": 20 });
    expect(report.refusals).toEqual({ queue_full: 20, invalid_event: 20 });
    expect(report.events).toMatchObject({ accepted: 60, refused: 40, unknown: 0 });
    expect([report.latencyMs.accepted?.count, report.latencyMs.refused?.count]).toEqual([60, 40]);
    expect(report.errors).toEqual({});
    expect(exitCodeOf(report)).toBe(0);
  });

  test("a slow request times out, and its event's outcome is unknown", async () => {
    await using service = serve(async (events, n, request) => {
      if (n === 3) await Bun.sleep(2000);
      return single(events, n, request);
    });
    const report = await run(
      options(service.url, "--requests", "50", "--timeout", "200ms", "--client", client),
    );
    expect(report.errors).toEqual({ timeout: 1 });
    expect(report.events).toMatchObject({ accepted: 49, unknown: 1 });
  });

  test("a server that closes after each response costs connections, not events", async () => {
    await using service = serve(([event]) =>
      Response.json(
        { status: "accepted", event_id: event!.event_id },
        { status: 202, headers: { Connection: "close" } },
      ),
    );
    const report = await run(options(service.url, "--requests", "200", "--client", client));
    expect(report.events.accepted).toBe(200);
  });
});

test("each durability is requested by its name, and counted by the response", async () => {
  await using service = serve(([event]) =>
    Response.json(
      { status: "stored", event_id: event!.event_id, topic: "t", partition: 0, offset: 1 },
      { status: 201 },
    ),
  );
  const report = await run(options(service.url, "--requests", "10", "--durability", "stored"));
  expect(service.seen.prefer).toEqual(new Set(["durability=stored"]));
  expect(report.events).toMatchObject({ accepted: 10, byStatus: { stored: 10 } });
});

test("a mixed batch (207) counts each event by its own result", async () => {
  await using service = serve((events) => {
    const results = events.map(({ event_id }, index) => ({
      index,
      event_id,
      status: (["accepted", "retry", "invalid"] as const)[index % 3],
    }));
    return Response.json({ results }, { status: 207 });
  });
  const report = await run(options(service.url, "--requests", "10", "--batch", "9"));
  expect(report.events).toMatchObject({
    accepted: 30,
    refused: 60,
    byStatus: { accepted: 30, retry: 30, invalid: 30 },
  });
});

test("a response with another id is an error", async () => {
  await using service = serve((events, n, request) =>
    n === 5
      ? Response.json({ status: "accepted", event_id: "made-up" }, { status: 202 })
      : single(events, n, request),
  );
  const report = await run(options(service.url, "--requests", "20"));
  expect(report.errors).toEqual({ wrong_event_id: 1 });
  expect(report.events).toMatchObject({ accepted: 19, unknown: 1 });
});

test("nothing accepted is a failure", async () => {
  await using service = serve(() => new Response("not here", { status: 404 }));
  const report = await run(options(service.url, "--requests", "10"));
  expect(report.refusals).toEqual({ http_404: 10 });
  expect(report.examples).toEqual({ http_404: "not here" });
  expect(exitCodeOf(report)).toBe(1);
});

test("an unreachable server is reported before anything is sent", async () => {
  const server = Bun.serve({ port: 0, fetch: () => new Response() });
  const url = server.url.href;
  await server.stop(true);
  const failure = await run(options(url)).catch((e: unknown) => e);
  expect(failure).toBeInstanceOf(NothingListensError);
  expect((failure as Error).message).toContain("docker compose up");
});

test("reports its progress, and stops on its signal", async () => {
  await using service = serve(single);
  const stop = new AbortController();
  const reports: Progress[] = [];
  const report = await run(options(service.url, "--duration", "60s", "--concurrency", "2"), {
    stopSending: stop.signal,
    onProgress(progress) {
      reports.push(progress);
      stop.abort();
    },
  });
  expect(reports[0]).toMatchObject({ phase: "sending", refused: 0, errors: 0 });
  expect(report.interrupted).toBe(true);
  expect(report.events.accepted).toBe(report.requests.sent);
  expect(exitCodeOf(report)).toBe(0);
});

describe("--verify", () => {
  /** A topic with the events that the service received, except those that `loses` selects. */
  function topicOf(ids: string[], loses: (n: number) => boolean): EventTopic {
    return {
      ends: async () => new Map([[0, ids.length]]),
      async *read(from, to) {
        for (let offset = from.get(0) ?? 0; offset < to.get(0)!; offset++) {
          const value = loses(offset) ? null : Buffer.from(JSON.stringify({ event_id: ids[offset] }));
          yield [{ partition: 0, offset, value }];
        }
      },
      close: async () => {},
    };
  }

  test("one missing event fails the run", async () => {
    await using service = serve(single);
    const { ids } = service.seen;
    const flags = ["--requests", "100", "--verify", "--verify-timeout", "100ms"];
    const lossy = await run(options(service.url, ...flags), {
      openTopic: async () => topicOf(ids, (n) => n === 42),
    });
    expect(lossy.verification).toMatchObject({
      accepted: 100,
      stored: 99,
      missing: 1,
      missingIds: [ids[42]!],
    });
    expect(exitCodeOf(lossy)).toBe(1);
    const complete = await run(options(service.url, ...flags), {
      openTopic: async () => topicOf(ids, () => false),
    });
    expect(complete.verification).toMatchObject({
      accepted: 100,
      stored: 100,
      missing: 0,
      duplicated: 0,
      recordsRead: 100,
    });
    expect(exitCodeOf(complete)).toBe(0);
  });

  test("an unreadable topic is reported before anything is sent", async () => {
    await using service = serve(single);
    const openTopic = () => Promise.reject(new TopicUnreachableError("no broker"));
    expect(run(options(service.url, "--verify"), { openTopic })).rejects.toThrow("no broker");
    expect(service.seen.ids).toEqual([]);
  });
});
