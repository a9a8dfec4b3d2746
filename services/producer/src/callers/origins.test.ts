// CORS_ALLOWED_ORIGINS: which pages may send events, over every transport; browsers themselves are in test/browser.
import { describe, expect, test } from "bun:test";
import { createTestApp } from "../testing/test-app.ts";
import { AllowedOrigins, isCrossOrigin, isOriginPattern } from "./origins.ts";

const EVENT = '{"event_type":"a"}';
const head = (fields: Record<string, string>) => ({
  method: "POST",
  get: (name: string) => fields[name] ?? null,
});

describe("a pattern", () => {
  test.each([
    "*",
    "https://example.com",
    "http://localhost:8080",
    "https://*.example.com",
    "https://*.example.com:8443",
    "*.example.com",
    "capacitor://localhost",
  ])("%s is valid", (pattern) => expect(isOriginPattern(pattern)).toBe(true));

  test.each([
    "",
    "null",
    "example.com",
    "*.example.com/path",
    "*.*.example.com",
    "https://example.com/",
    "https://example.com/path",
    "https://example.com:443",
    "https://Example.com",
    "https://*",
    "https://*example.com",
    "https://*.",
    "https://a.*.example.com",
    "https://user@example.com",
    "https://*.*.example.com",
  ])("%p is not", (pattern) => expect(isOriginPattern(pattern)).toBe(false));

  const origins = new AllowedOrigins(["https://shop.example", "https://*.example.com", "*.short.example"]);
  test.each([
    ["https://shop.example", true],
    ["https://a.example.com", true],
    ["https://a.b.example.com", true],
    ["https://a.short.example", true],
    ["http://a.short.example", false],
    ["https://short.example", false],
    ["https://example.com", false],
    ["https://.example.com", false],
    ["http://a.example.com", false],
    ["https://a.example.com:8443", false],
    ["https://evil-example.com", false],
    ["https://a.example.com.evil.test", false],
    ["https://evil.test/.example.com", false],
    ["https://shop.example.evil.test", false],
    ["null", false],
  ])("%s is allowed: %p", (origin, expected) => expect(origins.includes(head({ origin }))).toBe(expected));
});

test.each([
  ["no browser", {}, false],
  ["the same origin", { "sec-fetch-site": "same-origin", origin: "https://a.test" }, false],
  ["an address typed in", { "sec-fetch-site": "none" }, false],
  ["another site", { "sec-fetch-site": "cross-site" }, true],
  ["another origin of the site", { "sec-fetch-site": "same-site" }, true],
  ["an older browser, same origin", { origin: "http://a.test:3000", host: "a.test:3000" }, false],
  ["an older browser, another port", { origin: "http://a.test:8080", host: "a.test:3000" }, true],
  ["an older browser, another host", { origin: "http://b.test", host: "a.test" }, true],
  ["a page without origin", { origin: "null", host: "a.test" }, true],
  ["a page without origin, and no host", { origin: "null", host: "" }, true],
])("%s: %p is cross-origin: %p", (_, fields, expected) => {
  expect(isCrossOrigin(head(fields as Record<string, string>))).toBe(expected);
});

const PAGE = "https://page.example";
/** As browsers send a request of a page elsewhere. */
const foreign = { origin: PAGE, "sec-fetch-site": "cross-site" };
const allowed = () => createTestApp({ edge: { CORS_ALLOWED_ORIGINS: [PAGE] } });

async function send(app: ReturnType<typeof createTestApp>, headers: Record<string, string>, body = EVENT) {
  const request = new Request("http://localhost/register_event", { method: "POST", body: Buffer.from(body) });
  for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
  return app.app.handle(request);
}

describe("a body without Content-Type", () => {
  test.each(["cross-site", "same-site"])("of a page elsewhere (%s) is 403", async (site) => {
    const app = createTestApp();
    const response = await send(app, { origin: PAGE, "sec-fetch-site": site });
    expect(response.status).toBe(403);
    const { code, detail } = (await response.json()) as { code: string; detail: string };
    expect(code).toBe("origin_not_allowed");
    expect(detail).toContain(PAGE);
    expect(app.delivery.taken).toEqual([]);
    expect(app.metrics.routes["/register_event"].byStatus).toEqual({ 403: 1 });
  });

  test.each([
    ["a program", {}],
    ["a page of this origin", { origin: "http://localhost", "sec-fetch-site": "same-origin" }],
  ])("of %s counts as JSON", async (_, headers) => {
    expect((await send(createTestApp(), headers as Record<string, string>)).status).toBe(202);
  });

  test("of an allowed page counts as JSON", async () => {
    expect((await send(allowed(), foreign)).status).toBe(202);
  });
});

describe("bodies that a page may send without asking", () => {
  const simple = [
    "text/plain",
    "text/plain;charset=UTF-8",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
  ];
  test.each(simple)("%s of a page elsewhere is 415", async (type) => {
    const app = createTestApp();
    expect((await send(app, { ...foreign, "content-type": type })).status).toBe(415);
    expect(app.delivery.taken).toEqual([]);
  });

  test.each([
    ["text/plain", 202],
    ["text/plain;charset=UTF-8", 202],
    ["text/plain;charset=latin1", 415],
    ["application/x-www-form-urlencoded", 415],
  ])("%s of an allowed page is %i", async (type, status) => {
    expect((await send(allowed(), { ...foreign, "content-type": type })).status).toBe(status);
  });
});

describe("responses to pages", () => {
  const json = { "content-type": "application/json" };
  const corsOf = (response: Response) =>
    Object.fromEntries([...response.headers].filter(([name]) => /^access-control|^vary/.test(name)));

  test("of an allowed origin can be read, and say what may be read of them", async () => {
    expect(corsOf(await send(allowed(), { ...foreign, ...json }))).toEqual({
      "access-control-allow-origin": PAGE,
      "access-control-allow-credentials": "true",
      "access-control-expose-headers":
        "Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id",
      vary: "Origin",
    });
  });

  test.each([
    ["not JSON", 400, (app: ReturnType<typeof allowed>) => send(app, { ...foreign, ...json }, "{")],
    [
      "too large",
      413,
      (app: ReturnType<typeof allowed>) => send(app, { ...foreign, ...json }, "x".repeat(20_000)),
    ],
    [
      "refused",
      503,
      (app: ReturnType<typeof allowed>) => {
        app.delivery.refusal = {
          status: "refused",
          code: "journal_full",
          detail: "The journal is full.",
          retryAfterSeconds: 5,
        };
        return send(app, { ...foreign, ...json });
      },
    ],
  ])("can be read too when the event is %s", async (_, status, act) => {
    const response = await act(allowed());
    expect(response.status).toBe(status);
    expect(response.headers.get("access-control-allow-origin")).toBe(PAGE);
  });

  test("of another origin can't", async () => {
    const response = await send(allowed(), { ...json, origin: "https://other.example" });
    expect(corsOf(response)).toEqual({ vary: "Origin" });
  });

  test("have no such field when no origin is allowed", async () => {
    expect(corsOf(await send(createTestApp(), { ...foreign, ...json }))).toEqual({});
  });

  test("with *, any origin is allowed, without credentials", async () => {
    const app = createTestApp({ edge: { CORS_ALLOWED_ORIGINS: ["*"] } });
    expect(corsOf(await send(app, { ...foreign, ...json }))).toMatchObject({
      "access-control-allow-origin": "*",
    });
    expect(corsOf(await send(app, { ...foreign, ...json }))).not.toHaveProperty(
      "access-control-allow-credentials",
    );
  });

  test("metrics and health are not for pages", async () => {
    const { app } = allowed();
    for (const path of ["/metrics", "/health/ready"]) {
      const response = await app.handle(new Request(`http://localhost${path}`, { headers: foreign }));
      expect(corsOf(response)).toEqual({});
    }
  });
});

describe("a preflight", () => {
  const preflight = (app: ReturnType<typeof allowed>, headers: Record<string, string>) =>
    app.app.handle(
      new Request("http://localhost/register_event", {
        method: "OPTIONS",
        headers: {
          "access-control-request-method": "POST",
          "access-control-request-headers": "content-type",
          ...headers,
        },
      }),
    );

  test("of an allowed origin permits the request, for two hours", async () => {
    const response = await preflight(allowed(), foreign);
    expect(response.status).toBe(204);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "access-control-allow-origin": PAGE,
      "access-control-allow-methods": "POST",
      "access-control-allow-headers":
        "Authorization, Content-Encoding, Content-Type, Idempotency-Key, Prefer, X-API-Key, X-Request-Id",
      "access-control-max-age": "7200",
      vary: "Origin",
    });
    expect(response.headers.has("access-control-allow-private-network")).toBe(false);
  });

  test("may ask for a private network", async () => {
    const response = await preflight(allowed(), {
      ...foreign,
      "access-control-request-private-network": "true",
    });
    expect(response.headers.get("access-control-allow-private-network")).toBe("true");
  });

  test("of another origin permits nothing", async () => {
    const response = await preflight(allowed(), { origin: "https://other.example" });
    expect(response.headers.has("access-control-allow-origin")).toBe(false);
    expect(response.headers.has("access-control-allow-methods")).toBe(false);
  });
});
