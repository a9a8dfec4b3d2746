import { expect, test } from "bun:test";
import { HeadCache } from "./head-cache.ts";

const textOf = (key: string) => `POST / HTTP/1.1\r\nHost: a\r\nX-API-Key: ${key}`;

test("a head in use stays, however many others come; one that is not in use is forgotten", () => {
  const cache = new HeadCache();
  const inUse = cache.parse(textOf("in use"));
  const unused = cache.parse(textOf("unused"));
  for (let n = 0; n < 10_000; n++) {
    cache.parse(textOf(`wrong ${n}`));
    if (n % 100 === 0) expect(cache.parse(textOf("in use"))).toBe(inUse);
  }
  expect(cache.parse(textOf("unused"))).not.toBe(unused);
});
