import { expect, test } from "bun:test";
import { healthRoutes } from "./health.ts";

const app = (ok: boolean) =>
  healthRoutes({
    live: () => ({ ok: true }),
    ready: async () => ({ ok, kafka: ok ? "connected" : "unavailable" }),
    metrics: async () => "ingest_up 1\n",
  });
const ask = (ok: boolean, path: string) => app(ok).handle(new Request(`http://localhost${path}`));

test.each([
  [true, 200, { status: "ok", kafka: "connected" }],
  [false, 503, { status: "unavailable", kafka: "unavailable" }],
])("ready: %p is %d, with details for people", async (ok, status, body) => {
  const response = await ask(ok, "/health/ready");
  expect(response.status).toBe(status);
  expect(await response.json()).toEqual(body);
});

test("liveness doesn't depend on readiness", async () => {
  expect((await ask(false, "/health/live")).status).toBe(200);
});

test("metrics are in the Prometheus text format", async () => {
  const response = await ask(true, "/metrics");
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(await response.text()).toBe("ingest_up 1\n");
});

test("probes' responses must not be cached", async () => {
  for (const path of ["/health/live", "/health/ready", "/metrics"])
    expect((await ask(true, path)).headers.get("cache-control")).toBe("no-store");
});
