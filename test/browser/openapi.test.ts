// The API's page in a browser: rendered, complete, and without requests to other origins.
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Browser } from "puppeteer-core";
import { serveTestApp } from "../../services/producer/src/testing/serve.ts";
import { launchChromium } from "./chromium.ts";

const TIMEOUT_MS = 60_000;
const { url: origin, stop } = serveTestApp();
let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
}, TIMEOUT_MS);
afterAll(async () => {
  await browser?.close();
  await stop();
});

test(
  "the page shows the API, and requests its own origin only",
  async () => {
    const page = await browser.newPage();
    const requested: string[] = [];
    const errors: string[] = [];
    page.on("request", (request) => void requested.push(request.url()));
    page.on("requestfailed", (request) => void errors.push(`${request.url()} failed`));
    page.on("pageerror", (error) => void errors.push(String(error)));
    await page.goto(`${origin}/openapi`, { waitUntil: "networkidle0" });
    await page.waitForSelector(".opblock");
    const text = await page.evaluate("document.body.innerText");
    for (const word of [
      "Event ingestion",
      "/register_event",
      "/register_events",
      "/health/ready",
      "queue_full",
    ])
      expect(text).toContain(word);
    // An opened operation shows its schema and responses.
    await page.click("#operations-events-registerEvent button.opblock-summary-control");
    await page.waitForSelector("#operations-events-registerEvent .responses-table");
    const operation = await page.$eval(
      "#operations-events-registerEvent",
      (element) => element.textContent ?? "",
    );
    for (const word of ["event_type", "durability", "202", "422", "503"]) expect(operation).toContain(word);
    expect(await page.$$(".errors-wrapper")).toHaveLength(0);
    const foreign = requested.filter((url) => !url.startsWith(origin) && !url.startsWith("data:"));
    expect(foreign).toEqual([]);
    expect(errors).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  "the page fits a phone, follows the color scheme, and has the codes below the endpoints",
  async () => {
    const page = await browser.newPage();
    await page.setViewport({ width: 390, height: 800 });
    const backgrounds: string[] = [];
    for (const value of ["light", "dark"]) {
      await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value }]);
      await page.goto(`${origin}/openapi`, { waitUntil: "networkidle0" });
      await page.waitForSelector(".opblock");
      backgrounds.push(
        String(await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")),
      );
      const widths = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]");
      expect(widths).toEqual([390, 390]);
    }
    expect(new Set(backgrounds).size).toBe(2);
    const isBelow = await page.evaluate(
      "document.querySelector('.codes').offsetTop > document.querySelector('.opblock').getBoundingClientRect().bottom",
    );
    expect(isBelow).toBe(true);
  },
  TIMEOUT_MS,
);

test(
  "an event can be sent from the page",
  async () => {
    const page = await browser.newPage();
    await page.goto(`${origin}/openapi`, { waitUntil: "networkidle0" });
    const operation = "#operations-events-registerEvent";
    await page.waitForSelector(operation);
    await page.click(`${operation} button.opblock-summary-control`);
    await page.waitForSelector(`${operation} .try-out__btn`);
    await page.click(`${operation} .try-out__btn`);
    await page.waitForSelector(`${operation} .execute`);
    await page.click(`${operation} .execute`);
    await page.waitForSelector(`${operation} .live-responses-table .response-col_status`);
    const status = await page.$eval(
      `${operation} .live-responses-table .response .response-col_status`,
      (element) => element.textContent ?? "",
    );
    expect(status).toContain("202");
  },
  TIMEOUT_MS,
);
