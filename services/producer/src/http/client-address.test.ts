// TRUSTED_PROXIES: whose word about the client is believed.
import { describe, expect, test } from "bun:test";
import { isTrustedProxiesEntry, TrustedProxies } from "./client-address.ts";

const head = (fields: Record<string, string>) => ({ get: (name: string) => fields[name] ?? null });
const xff = (value: string) => head({ "x-forwarded-for": value });
const forwarded = (value: string) => head({ forwarded: value });
const create = () => new TrustedProxies(["10.0.0.0/8", "2001:db8:1::/48", "192.0.2.1"]);

test.each([
  ["without a field", head({}), "10.0.0.1"],
  ["one client", xff("203.0.113.9"), "203.0.113.9"],
  ["the rightmost address that is not trusted", xff("198.51.100.1, 203.0.113.9, 10.2.3.4"), "203.0.113.9"],
  ["what stands left of it is the client's own word", xff("nonsense, 203.0.113.9, 10.2.3.4"), "203.0.113.9"],
  ["the leftmost when all are trusted", xff("10.9.9.9, 10.2.3.4"), "10.9.9.9"],
  ["a port", xff("203.0.113.9:4711"), "203.0.113.9"],
  ["IPv6", xff("2001:db8:2::7, 2001:db8:1::1"), "2001:db8:2::7"],
  ["IPv6 with a port", xff("[2001:db8:2::7]:4711"), "2001:db8:2::7"],
  ["Forwarded", forwarded("for=203.0.113.9;proto=https;by=10.0.0.1"), "203.0.113.9"],
  ["Forwarded, several", forwarded("for=198.51.100.1, For=203.0.113.9, for=10.1.1.1"), "203.0.113.9"],
  ["Forwarded, IPv6 and a port", forwarded('proto=https;for="[2001:db8:2::7]:4711"'), "2001:db8:2::7"],
  ["Forwarded, separators in quotes", forwarded('for=203.0.113.9;ext="a,b;for=10.9.9.9"'), "203.0.113.9"],
  [
    "X-Forwarded-For before Forwarded, which a client may have made up",
    head({ "x-forwarded-for": "203.0.113.9", forwarded: "for=198.51.100.1" }),
    "203.0.113.9",
  ],
])("%s", (_, request, client) => {
  const proxies = create();
  expect(proxies.clientOf("10.0.0.1", request)).toBe(client);
  expect(proxies.ignoredFields).toBe(0);
});

test.each([
  ["no address", xff("203.0.113.9, client")],
  ["an empty entry", xff("203.0.113.9,")],
  ["an address that is none", xff("203.0.113.256")],
  ["brackets around IPv4", xff("[203.0.113.9]")],
  ["an obfuscated name", forwarded("for=_hidden")],
  ["unknown", forwarded("for=unknown")],
  ["no for", forwarded("proto=https")],
  ["an open quote", forwarded('for="203.0.113.9')],
  [
    "a client's quote that hides the proxy's element",
    forwarded('for=203.0.113.9;x=", for="[2001:db8:2::7]"'),
  ],
  ["two for in one element", forwarded("for=203.0.113.9;for=203.0.113.10")],
])("%s: the field is ignored and counted", (_, request) => {
  const proxies = create();
  expect(proxies.clientOf("10.0.0.1", request)).toBe("10.0.0.1");
  expect(proxies.ignoredFields).toBe(1);
});

test("a peer that is not trusted speaks for itself alone", () => {
  const proxies = create();
  expect(proxies.clientOf("198.51.100.1", xff("203.0.113.9"))).toBe("198.51.100.1");
  expect(proxies.clientOf("198.51.100.1", xff("nonsense"))).toBe("198.51.100.1");
  expect(proxies.ignoredFields).toBe(0);
  expect(new TrustedProxies([]).clientOf("127.0.0.1", xff("203.0.113.9"))).toBe("127.0.0.1");
});

test("IPv4 is the same as IPv6-mapped, where HOST is ::", () => {
  expect(create().has("::ffff:10.1.2.3")).toBe(true);
  expect(create().has("::ffff:11.1.2.3")).toBe(false);
});

describe("an entry", () => {
  test.each(["10.0.0.0/8", "10.0.0.1", "::1", "fd00::/8", "0.0.0.0/0", "loopback", "private"])(
    "%s is valid",
    (entry) => expect(isTrustedProxiesEntry(entry)).toBe(true),
  );
  test.each(["10.0.0.0/33", "fd00::/129", "10.0.0", "10.0.0.0/", "10.0.0.0/8/8", "nginx", "", "10.0.0.0/-1"])(
    "%p is not",
    (entry) => expect(isTrustedProxiesEntry(entry)).toBe(false),
  );
  test.each([
    ["loopback", ["127.0.0.1", "127.9.9.9", "::1"], ["10.0.0.1"]],
    ["private", ["10.0.0.1", "172.31.0.1", "192.168.1.1", "fd00::1"], ["127.0.0.1", "172.32.0.1", "fe80::1"]],
  ])("%s", (name, inside, outside) => {
    const proxies = new TrustedProxies([name]);
    expect(inside.filter((address) => !proxies.has(address))).toEqual([]);
    expect(outside.filter((address) => proxies.has(address))).toEqual([]);
  });
});
