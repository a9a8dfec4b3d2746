import { describe, expect, test } from "bun:test";
import { eventPaths } from "./events/routes.ts";
import { createTestApp } from "./testing/test-app.ts";

const ask = (path: string, method = "GET") =>
  createTestApp().app.handle(new Request(`http://localhost${path}`, { method }));

describe("unknown paths and methods", () => {
  test.each([
    "/nothing",
    "/register_event/",
    "/REGISTER_EVENT",
    "/openapi/assets/../../package.json",
    "/health",
  ])("%s is 404 with a problem body", async (path) => {
    const response = await ask(path);
    expect(response.status).toBe(404);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({ code: "not_found", status: 404 });
  });

  test.each([
    ["GET", "/register_event", "POST, OPTIONS"],
    ["PUT", "/register_events", "POST, OPTIONS"],
    ["PATCH", "/register_events", "POST, OPTIONS"],
    ["PURGE", "/register_event", "POST, OPTIONS"],
    ["POST", "/health/live", "GET, HEAD, OPTIONS"],
    ["DELETE", "/metrics", "GET, HEAD, OPTIONS"],
    ["POST", "/openapi", "GET, HEAD, OPTIONS"],
    ["POST", "/", "GET, HEAD, OPTIONS"],
    ["POST", "/problems/not_http", "GET, HEAD, OPTIONS"],
  ])("%s %s is 405 with Allow: %s", async (method, path, allow) => {
    const response = await ask(path, method);
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe(allow);
    expect(await response.json()).toMatchObject({ code: "method_not_allowed" });
  });

  test.each([
    ["/register_event", "POST, OPTIONS"],
    ["/register_events", "POST, OPTIONS"],
    ["/", "GET, HEAD, OPTIONS"],
    ["/health/live", "GET, HEAD, OPTIONS"],
    ["/metrics", "GET, HEAD, OPTIONS"],
    ["/problems/not_http", "GET, HEAD, OPTIONS"],
  ])("OPTIONS %s lists %s", async (path, allow) => {
    const response = await ask(path, "OPTIONS");
    expect(response.status).toBe(204);
    expect(response.headers.get("allow")).toBe(allow);
  });

  test("are counted by status", async () => {
    const { app, metrics } = createTestApp();
    await app.handle(new Request("http://localhost/nothing"));
    await app.handle(new Request("http://localhost/register_event"));
    expect(metrics.other).toEqual({ 404: 1, 405: 1 });
  });
});

test("an unexpected error is a problem without its reason, and does not leave the request in flight", async () => {
  const { post, delivery, admission, metrics } = createTestApp();
  delivery.accept = () => {
    throw new Error("secret reason");
  };
  const response = await post("/register_event", '{"event_type":"a"}');
  expect(response.status).toBe(500);
  const text = await response.text();
  expect(JSON.parse(text)).toMatchObject({ code: "internal" });
  expect(text).not.toContain("secret");
  expect(admission.inFlight).toBe(0);
  expect(metrics.routes["/register_event"].byStatus).toEqual({ 500: 1 });
});

test("the root points to the documentation", async () => {
  const response = await ask("/");
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ documentation: "/openapi" });
});

describe("operations", () => {
  test("live always, ready while delivery is", async () => {
    const { app, delivery } = createTestApp();
    const status = async (path: string) => (await app.handle(new Request(`http://localhost${path}`))).status;
    expect(await status("/health/live")).toBe(200);
    expect(await status("/health/ready")).toBe(200);
    delivery.isReady = false;
    expect(await status("/health/live")).toBe(200);
    expect(await status("/health/ready")).toBe(503);
  });

  test("metrics are Prometheus text, and every name begins with ingest_", async () => {
    const { app, post } = createTestApp();
    await post("/register_event", '{"event_type":"a"}');
    const response = await app.handle(new Request("http://localhost/metrics"));
    expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
    const samples = (await response.text())
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    for (const sample of samples) expect(sample).toMatch(/^ingest_[a-z0-9_]+(\{[^}]*\})? [-+0-9.eInfa]+$/);
    expect(samples).toContain('ingest_http_requests_total{route="/register_event",status="202"} 1');
    expect(samples).toContain('ingest_events_total{outcome="accepted"} 1');
    expect(samples).toContain('ingest_delivery_failures_total{reason="timed_out"} 1');
    expect(samples).toContain('ingest_refused_total{reason="queue_full"} 2');
  });
});

describe("the OpenAPI document", () => {
  const document = async () => (await (await ask("/openapi/json")).json()) as Record<string, never>;

  test("has the event routes, health and metrics, but not its own routes", async () => {
    const { paths } = await document();
    expect(Object.keys(paths!).sort()).toEqual(
      [...eventPaths, "/health/live", "/health/ready", "/metrics"].sort(),
    );
  });

  test("every reference resolves", async () => {
    const whole = await document();
    const references = JSON.stringify(whole).match(/"\$ref":"[^"]+"/g)!;
    expect(references.length).toBeGreaterThan(10);
    for (const reference of new Set(references)) {
      const path = reference.slice('"$ref":"#/'.length, -1).split("/");
      const target = path.reduce<Record<string, never> | undefined>((at, key) => at?.[key], whole);
      expect({ reference, found: target !== undefined }).toEqual({ reference, found: true });
    }
  });

  test("shows the schema that events are checked against", async () => {
    const { components } = (await document()) as unknown as {
      components: { schemas: Record<string, { additionalProperties?: boolean; required?: string[] }> };
    };
    expect(components.schemas.Event).toMatchObject({ additionalProperties: false, required: ["event_type"] });
  });

  test("its page loads files of this service only, and they exist", async () => {
    const page = await (await ask("/openapi")).text();
    const addresses = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address!);
    expect(addresses.length).toBeGreaterThanOrEqual(2);
    for (const address of addresses) {
      expect(address).toMatch(/^\/(openapi\/assets|problems)\//);
      expect((await ask(address)).status).toBe(200);
    }
    expect(page).not.toMatch(/https?:\/\//);
  });
});
