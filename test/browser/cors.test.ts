// Pages of another origin in a browser: an allowed one sends events and reads the responses, any other can do neither.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createLog } from "@ingest/service";
import { until } from "@ingest/testkit";
import type { Browser, Page } from "puppeteer-core";
import { serveTestApp } from "../../services/producer/src/testing/serve.ts";
import { launchChromium } from "./chromium.ts";

const TIMEOUT_MS = 60_000;
const EVENT = '{"event_type":"page_view"}';
/** To a browser, localhost and 127.0.0.1 are two sites. */
const pages = Bun.serve({
  hostname: "localhost",
  port: 0,
  fetch: () =>
    new Response("<!doctype html><title>A page</title>", { headers: { "content-type": "text/html" } }),
});
const pageOrigin = `http://localhost:${pages.port}`;
let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
}, TIMEOUT_MS);
afterAll(async () => {
  await browser?.close();
  await pages.stop(true);
});

/** A producer that allows these origins, and the requests it responded to, as `POST 202`. */
function serve(allowedOrigins: string[]) {
  const requests: string[] = [];
  const write = (text: string) => {
    const { method, status } = JSON.parse(text) as { method: string; status: number };
    requests.push(`${method} ${status}`);
  };
  const served = serveTestApp({
    edge: { CORS_ALLOWED_ORIGINS: allowedOrigins, ACCESS_LOG: "all", REQUEST_ID: true },
    log: createLog("producer", { LOG_LEVEL: "info", LOG_FORMAT: "json" }, { write }),
  });
  return { ...served, requests };
}

async function openPage(): Promise<Page> {
  // A context of its own: no preflight is remembered from another test.
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.goto(pageOrigin);
  return page;
}

/** Runs an expression in the page, with the producer's URL as `url`. */
function run(page: Page, url: string, expression: string): Promise<unknown> {
  return page.evaluate(`(async (url) => (${expression}))(${JSON.stringify(`${url}/register_event`)})`);
}

const json = (body: string) =>
  `fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: ${JSON.stringify(body)} })
    .then(async (response) => [response.status, (await response.json()).status ?? "none",
      response.headers.get("x-request-id") !== null], (error) => error.name)`;
const untyped = `fetch(url, { method: "POST", mode: "no-cors", body: new TextEncoder().encode(${JSON.stringify(EVENT)}) })
    .then((response) => response.type)`;
const plainText = `fetch(url, { method: "POST", mode: "no-cors", body: ${JSON.stringify(EVENT)} })
    .then((response) => response.type)`;
const beaconOfText = `navigator.sendBeacon(url, ${JSON.stringify(EVENT)})`;
const beaconOfJson = `navigator.sendBeacon(url, new Blob([${JSON.stringify(EVENT)}], { type: "application/json" }))`;
const beaconOfBytes = `navigator.sendBeacon(url, new TextEncoder().encode(${JSON.stringify(EVENT)}))`;

describe.each([
  ["its own origin", [pageOrigin]],
  ["every origin", ["*"]],
])("a page whose producer allows %s", (_, allowedOrigins) => {
  test(
    "sends JSON and reads the response; one preflight is enough",
    async () => {
      await using served = serve(allowedOrigins);
      const page = await openPage();
      expect(await run(page, served.url, json(EVENT))).toEqual([202, "accepted", true]);
      expect(await run(page, served.url, json(EVENT))).toEqual([202, "accepted", true]);
      expect(served.requests).toEqual(["OPTIONS 204", "POST 202", "POST 202"]);
    },
    TIMEOUT_MS,
  );

  test(
    "reads why an event is refused",
    async () => {
      await using served = serve(allowedOrigins);
      const page = await openPage();
      expect(await run(page, served.url, json("{}"))).toEqual([422, 422, true]);
      expect(await run(page, served.url, json(`{"event_type":"${"x".repeat(20_000)}"}`))).toEqual([
        413,
        413,
        true,
      ]);
      served.delivery.refusal = {
        status: "refused",
        code: "journal_full",
        detail: "The journal is full.",
        retryAfterSeconds: 5,
      };
      expect(await run(page, served.url, json(EVENT))).toEqual([503, 503, true]);
    },
    TIMEOUT_MS,
  );

  test.each([
    ["a beacon of text", beaconOfText],
    ["a beacon of bytes", beaconOfBytes],
    ["a fetch of text without CORS", plainText],
    ["a fetch of bytes without CORS", untyped],
  ])(
    "sends %s",
    async (_name, expression) => {
      await using served = serve(allowedOrigins);
      const page = await openPage();
      await run(page, served.url, expression);
      await until("the event", () => served.delivery.events.length === 1);
      expect(served.delivery.events).toMatchObject([{ event_type: "page_view" }]);
    },
    TIMEOUT_MS,
  );
});

test(
  "a page whose origin is listed sends a beacon of JSON, which has credentials",
  async () => {
    await using served = serve([pageOrigin]);
    const page = await openPage();
    expect(await run(page, served.url, beaconOfJson)).toBe(true);
    await until("the event", () => served.delivery.events.length === 1);
    expect(served.requests).toEqual(["OPTIONS 204", "POST 202"]);
  },
  TIMEOUT_MS,
);

describe.each([
  ["no origin", []],
  ["another origin", ["https://other.example"]],
])("a page whose producer allows %s", (_, allowedOrigins) => {
  test.each([
    ["JSON", json(EVENT), "OPTIONS 204"],
    ["a beacon of text", beaconOfText, "POST 415"],
    ["a beacon of JSON", beaconOfJson, "OPTIONS 204"],
    ["a beacon of bytes", beaconOfBytes, "POST 403"],
    ["a fetch of text without CORS", plainText, "POST 415"],
    ["a fetch of bytes without CORS", untyped, "POST 403"],
  ])(
    "can't send %s",
    async (_name, expression, request) => {
      await using served = serve(allowedOrigins);
      const page = await openPage();
      const result = await run(page, served.url, expression);
      await until("the request", () => served.requests.length === 1);
      if (expression === json(EVENT)) expect(result).toBe("TypeError");
      expect(served.requests).toEqual([request]);
      expect(served.delivery.taken).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
