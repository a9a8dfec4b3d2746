import { expect, test } from "bun:test";
import { join } from "node:path";
import { root } from "../kit/paths.ts";
import { thisService } from "../kit/this-service.ts";
import { parseVariant } from "./variant.ts";

test("a variant is a label and what differs", () => {
  const { env } = thisService();
  expect(parseVariant("now")).toEqual({ ...thisService(), title: "now" });
  expect(parseVariant("slow=KAFKA_LINGER_MS=20").env).toEqual({ ...env, KAFKA_LINGER_MS: "20" });

  const other = join(root, "bench", "..");
  const both = parseVariant(`both=${other},WORKERS=2,LD_PRELOAD=/a=b.so`);
  expect(both).toMatchObject({ title: "both", cwd: root, env: { WORKERS: "2", LD_PRELOAD: "/a=b.so" } });
});

test.each([
  ["=A=1", "has no label"],
  ["x=a,b", 'x: "a" and "b" can\'t both be the checkout'],
  ["x=../nowhere", "is not a checkout with installed dependencies"],
])("%s is refused", (text, words) => {
  expect(() => parseVariant(text)).toThrow(words);
});
