import { describe, expect, setSystemTime, test } from "bun:test";
import { createHash } from "node:crypto";
import { RequestHead } from "@ingest/http-server";
import { Rejection } from "../rejection.ts";
import { CallerDirectory } from "./directory.ts";
import { AllowedOrigins } from "./origins.ts";
import { type Callers, parseCallers } from "./parse-file.ts";

const keyOf = (text: string, more: object = {}) => ({
  sha256: createHash("sha256").update(text).digest("hex"),
  ...more,
});
const callersOf = (file: object) =>
  parseCallers(JSON.stringify(file), { defaultDurability: "accepted", hasJournal: true }) as Callers;
const directoryOf = (file: object, cors: string[] = []) =>
  new CallerDirectory(callersOf(file), new AllowedOrigins(cors));

const headOf = (fields: Record<string, string>, target = "/register_event") =>
  new RequestHead("POST", target, new Map(Object.entries(fields)), 0, true, false);
const withKey = (key: string) => headOf({ authorization: `Bearer ${key}` });

/** The caller's id, or the code of the refusal. */
function resultOf(directory: CallerDirectory, head: RequestHead): string {
  const { caller } = directory.identify(head);
  return caller instanceof Rejection ? caller.code : caller.id;
}

test("two keys of a caller are valid at once, and each is refused the moment it expires, also for a known head", () => {
  const expiresMs = Date.now() + 60_000;
  const expiring = keyOf("old", { expires_at: new Date(expiresMs).toISOString() });
  const directory = directoryOf({ callers: [{ id: "a", keys: [expiring, keyOf("new")] }], anonymous: {} });
  const [old, fresh] = [withKey("old"), withKey("new")];
  try {
    expect([resultOf(directory, old), resultOf(directory, fresh)]).toEqual(["a", "a"]);
    const identity = directory.identify(old);
    setSystemTime(expiresMs - 1);
    expect(directory.isCurrent(identity)).toBe(true);
    setSystemTime(expiresMs);
    expect(directory.isCurrent(identity)).toBe(false);
    expect([resultOf(directory, old), resultOf(directory, fresh)]).toEqual(["invalid_api_key", "a"]);
  } finally {
    setSystemTime();
  }
});

test("after a replacement known heads are identified again, and counters of callers that stay go on", () => {
  const directory = directoryOf({
    callers: [
      { id: "a", keys: [keyOf("1")] },
      { id: "b", keys: [keyOf("2")] },
    ],
  });
  const head = withKey("1");
  const identity = directory.identify(head);
  identity.counts.requests[202] = 7;
  directory.replace(callersOf({ callers: [{ id: "a", keys: [keyOf("3")] }] }));
  expect(directory.isCurrent(identity)).toBe(false);
  expect(resultOf(directory, head)).toBe("invalid_api_key");
  expect(resultOf(directory, withKey("3"))).toBe("a");
  expect(directory.counts.get("a")?.requests).toEqual({ 202: 7 });
  expect([...directory.counts.keys()]).toEqual(["a", "none"]);
});

test("a key in the query is accepted by opt-in only, and headers take precedence", () => {
  const directory = directoryOf({
    callers: [
      { id: "page", keys: [keyOf("beacon key", { in_query: true })] },
      { id: "server", keys: [keyOf("secret")] },
    ],
  });
  const inQuery = (query: string, fields = {}) => headOf(fields, `/register_event?${query}`);
  expect(resultOf(directory, inQuery("write_key=beacon%20key"))).toBe("page");
  expect(resultOf(directory, inQuery("durability=durable&write_key=beacon+key"))).toBe("page");
  expect(resultOf(directory, inQuery("write_key=secret"))).toBe("invalid_api_key");
  expect(resultOf(directory, inQuery("write_key=beacon%20key", { "x-api-key": "secret" }))).toBe("server");
  expect(resultOf(directory, inQuery("durability=durable"))).toBe("missing_api_key");
});

test("another scheme of Authorization, which a proxy may have asked for, is no key", () => {
  const file = { callers: [{ id: "a", keys: [keyOf("k")] }] };
  const head = headOf({ authorization: "Basic YTpi", "x-api-key": "k" });
  expect(resultOf(directoryOf(file), head)).toBe("a");
  expect(resultOf(directoryOf({ ...file, anonymous: {} }), headOf({ authorization: "Basic YTpi" }))).toBe(
    "anonymous",
  );
});

describe("a request that means to present a key is never anonymous:", () => {
  const directory = directoryOf({
    callers: [{ id: "a", keys: [keyOf("k", { in_query: true })] }],
    anonymous: {},
  });
  test.each([
    ["no token", headOf({ authorization: "Bearer" })],
    ["a token with blanks", headOf({ authorization: "Bearer k k" })],
    ["two Authorization fields", headOf({ authorization: "Bearer k, Bearer k" })],
    ["an unknown token behind another scheme", headOf({ authorization: "Basic YTpi, Bearer x" })],
    ["an empty X-API-Key", headOf({ "x-api-key": "" })],
    ["two X-API-Key fields", headOf({ "x-api-key": "k, k" })],
    ["an empty parameter", headOf({}, "/register_event?write_key=")],
    ["two parameters", headOf({}, "/register_event?write_key=k&write_key=k")],
    ["an unknown key in an encoded parameter", headOf({}, "/register_event?write%5Fkey=x")],
  ])("%s", (_, head) => {
    expect(resultOf(directory, head)).toBe("invalid_api_key");
  });

  test("and a valid key is found behind another scheme, and in an encoded parameter", () => {
    expect(resultOf(directory, headOf({ authorization: "Basic YTpi, bearer k" }))).toBe("a");
    expect(resultOf(directory, headOf({}, "/register_event?write%5Fkey=%6b"))).toBe("a");
    expect(resultOf(directory, headOf({}, "/register_event?durability=stored"))).toBe("anonymous");
  });
});

describe("origins", () => {
  const page = (key: string, origin: string) =>
    headOf({ host: "ingest.example", "x-api-key": key, origin, "sec-fetch-site": "cross-site" });
  const directory = directoryOf(
    {
      callers: [
        { id: "shop", keys: [keyOf("shop")], origins: ["https://shop.example"] },
        { id: "other", keys: [keyOf("other")] },
      ],
    },
    ["https://listed.example"],
  );

  test("of a caller replace those of CORS_ALLOWED_ORIGINS for its keys", () => {
    expect(resultOf(directory, page("shop", "https://shop.example"))).toBe("shop");
    expect(resultOf(directory, page("shop", "https://listed.example"))).toBe("origin_not_allowed");
    expect(resultOf(directory, page("other", "https://listed.example"))).toBe("other");
    expect(resultOf(directory, page("other", "https://shop.example"))).toBe("origin_not_allowed");
  });

  test("do not matter to programs other than pages", () => {
    expect(resultOf(directory, headOf({ host: "ingest.example", "x-api-key": "shop" }))).toBe("shop");
  });

  test("of all callers pass a preflight, which has no key", () => {
    for (const origin of ["https://shop.example", "https://listed.example"])
      expect(directory.origins.includes(headOf({ origin }))).toBe(true);
    expect(directory.origins.includes(headOf({ origin: "https://x.example" }))).toBe(false);
    const preflight = new RequestHead(
      "OPTIONS",
      "/register_event",
      new Map([
        ["origin", "https://shop.example"],
        ["access-control-request-method", "POST"],
      ]),
      0,
      true,
      false,
    );
    expect(directory.origins.linesFor(preflight)).toMatch(/Allow-Headers: Authorization,.* X-API-Key,/);
  });
});
