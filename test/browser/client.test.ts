// The client in pages: offline, reloaded, closed, in two tabs; with a real producer and Kafka.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { temporaryFolder, until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { startProducer } from "@ingest/testkit/service";
import type { Browser, BrowserContext, Page } from "puppeteer-core";
import { buildPackage } from "../../packages/client/build/package.ts";
import { launchChromium } from "./chromium.ts";

const TIMEOUT_MS = 120_000;
const root = join(import.meta.dir, "../..");
const folder = temporaryFolder("client-package");
let browser: Browser;
let kafka: KafkaFixture;
/** Set by the test of the example. */
let example = "";

const pageHtml = (url: string) => `<!doctype html><title>A page</title>
<script type="module">
  import { createClient } from "/client/index.js";
  import { createIndexedDbStore } from "/client/indexeddb.js";
  globalThis.errors = [];
  globalThis.client = createClient({
    url: ${JSON.stringify(url)}, lingerMs: 50, backoffMs: 100, maxBackoffMs: 1_000,
    store: createIndexedDbStore(), onStoreError: (error) => errors.push(String(error)),
  });
</script>`;

/** Serves the page from a cache, so that it can be reloaded offline. */
const serviceWorker = `
  addEventListener("install", (event) => event.waitUntil(
    caches.open("page").then((cache) => cache.addAll([registrationPath, "/client/index.js", "/client/indexeddb.js"]))
      .then(() => skipWaiting())));
  addEventListener("activate", (event) => event.waitUntil(clients.claim()));
  addEventListener("fetch", (event) => {
    if (event.request.method === "GET" && new URL(event.request.url).origin === location.origin)
      event.respondWith(caches.match(event.request).then((response) => response ?? fetch(event.request)));
  });`;

const javascript = { "content-type": "text/javascript" };
const html = { "content-type": "text/html" };
const site = Bun.serve({
  hostname: "localhost",
  port: 0,
  fetch(request) {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/sw.js")
      return new Response(`const registrationPath = "/page" + location.search;${serviceWorker}`, {
        headers: javascript,
      });
    if (pathname.startsWith("/client/"))
      return new Response(Bun.file(join(folder.path, pathname.slice("/client/".length))), {
        headers: javascript,
      });
    if (pathname === "/example") return new Response(example, { headers: html });
    return new Response(pageHtml(decodeURIComponent(search.slice(1))), { headers: html });
  },
});
const origin = `http://localhost:${site.port}`;

beforeAll(async () => {
  await buildPackage(folder.path);
  browser = await launchChromium();
  kafka = await KafkaFixture.shared();
}, TIMEOUT_MS);
afterAll(async () => {
  await browser?.close();
  await kafka?.[Symbol.asyncDispose]();
  await site.stop(true);
  folder[Symbol.dispose]();
});

function freePort(): number {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port } = server;
  void server.stop(true);
  return port!;
}

async function startTopicAndProducer() {
  const topic = await kafka.createTopic(2);
  const producer = await startProducer({
    env: { ...kafka.env, KAFKA_TOPIC: topic, CORS_ALLOWED_ORIGINS: origin },
  });
  return { topic, url: producer.url, [Symbol.asyncDispose]: () => producer[Symbol.asyncDispose]() };
}

async function open(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${origin}/page?${encodeURIComponent(url)}`);
  await page.evaluate(
    `navigator.serviceWorker.register("/sw.js?${encodeURIComponent(url)}").then(() => navigator.serviceWorker.ready)`,
  );
  await page.waitForFunction(
    "navigator.serviceWorker.controller !== null && globalThis.client !== undefined",
  );
  return page;
}

/** Tracks events with these ids, and resolves once the store has them. */
async function track(page: Page, prefix: string, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
  const statuses = await page.evaluate(
    `${JSON.stringify(ids)}.map((eventId) => client.track("t", {}, { eventId, userId: "u" }).status)`,
  );
  expect(statuses).toEqual(ids.map(() => "queued"));
  return ids;
}

const pageErrors = (page: Page) => page.evaluate("errors");

test(
  "a page that goes offline, is reloaded, and comes back loses no event",
  async () => {
    await using served = await startTopicAndProducer();
    const context = await browser.createBrowserContext();
    const page = await open(context, served.url);
    const ids = await track(page, "online", 20);
    expect(await page.evaluate("client.flush()")).toEqual({ pending: 0 });
    await page.setOfflineMode(true);
    ids.push(...(await track(page, "offline", 50)));
    await page.reload();
    await page.waitForFunction("globalThis.client !== undefined");
    ids.push(...(await track(page, "reloaded", 20)));
    expect(await page.evaluate("client.flush({ timeoutMs: 1_000 })")).toEqual({ pending: 70 });
    await page.reload();
    await page.waitForFunction("globalThis.client !== undefined");
    await page.setOfflineMode(false);
    expect(await page.evaluate("client.flush()")).toEqual({ pending: 0 });
    expect(await pageErrors(page)).toEqual([]);
    await until("all events", async () => new Set(await kafka.readEventIds(served.topic)).size >= ids.length);
    expect([...new Set(await kafka.readEventIds(served.topic))].sort()).toEqual(ids.sort());
    await context.close();
  },
  TIMEOUT_MS,
);

test(
  "of two tabs with one store, the one that stays sends what the other left, and no event twice",
  async () => {
    const topic = await kafka.createTopic(2);
    const port = freePort();
    const url = `http://127.0.0.1:${port}`;
    const context = await browser.createBrowserContext();
    const [first, second] = [await open(context, url), await open(context, url)];
    const ids = [...(await track(first, "first", 30)), ...(await track(second, "second", 30))];
    // What it sends when it is left reaches nobody.
    await first.close();
    await using _producer = await startProducer({
      env: { ...kafka.env, KAFKA_TOPIC: topic, CORS_ALLOWED_ORIGINS: origin, PORT: String(port) },
    });
    // Another tab looks at the same time.
    const third = await open(context, url);
    await until("all events", async () => (await kafka.countRecords(topic)) >= ids.length);
    for (const page of [second, third]) expect(await page.evaluate("client.flush()")).toEqual({ pending: 0 });
    expect((await kafka.readEventIds(topic)).sort()).toEqual(ids.sort());
    for (const page of [second, third]) expect(await pageErrors(page)).toEqual([]);
    await context.close();
  },
  TIMEOUT_MS,
);

test(
  "a page that is left right after an event sends it, without a store too",
  async () => {
    await using served = await startTopicAndProducer();
    const context = await browser.createBrowserContext();
    const page = await open(context, served.url);
    // The preflight is remembered.
    await track(page, "before", 1);
    expect(await page.evaluate("client.flush()")).toEqual({ pending: 0 });
    await page.evaluate(`import("/client/index.js").then(({ createClient }) => {
      const other = createClient({ url: ${JSON.stringify(served.url)}, lingerMs: 60_000 });
      setTimeout(() => {
        other.track("t", {}, { eventId: "leaving" });
        location.href = "about:blank";
      });
    })`);
    await until("the event", async () => (await kafka.readEventIds(served.topic)).includes("leaving"));
    await context.close();
  },
  TIMEOUT_MS,
);

test(
  "a worker sends events and keeps them in the store",
  async () => {
    await using served = await startTopicAndProducer();
    const context = await browser.createBrowserContext();
    const page = await open(context, served.url);
    const result = await page.evaluate(`new Promise((resolve, reject) => {
      const source = ${JSON.stringify(`
        import { createClient } from "${origin}/client/index.js";
        import { createIndexedDbStore } from "${origin}/client/indexeddb.js";
        const client = createClient({ url: "${served.url}", store: createIndexedDbStore("worker") });
        client.track("t", {}, { eventId: "from-worker" });
        postMessage(await client.close());`)};
      const worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })), { type: "module" });
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    })`);
    expect(result).toEqual({ pending: 0 });
    await until("the event", async () => (await kafka.readEventIds(served.topic)).includes("from-worker"));
    await context.close();
  },
  TIMEOUT_MS,
);

test(
  "the README's example for browsers runs",
  async () => {
    await using served = await startTopicAndProducer();
    const readme = await Bun.file(join(root, "packages/client/README.md")).text();
    example = /```html\n(.*?)```/s.exec(readme)![1]!.replace("http://localhost:3000", served.url);
    expect(example).toContain(served.url);
    const page = await browser.newPage();
    await page.goto(`${origin}/example`);
    await until("the event", async () => (await kafka.countRecords(served.topic)) === 1);
    const [record] = await kafka.read(served.topic);
    expect(JSON.parse(record!.value!.toString())).toMatchObject({
      event_type: "page_view",
      payload: { path: "/example" },
    });
  },
  TIMEOUT_MS,
);
