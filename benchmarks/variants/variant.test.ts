import { expect, test } from "bun:test";
import { root } from "../kit/paths.ts";
import { parseVariant } from "./variant.ts";

test("a variant is a label, and what differs", () => {
  expect(parseVariant("now")).toEqual({ label: "now", folder: root, env: {} });
  expect(parseVariant("slow=KAFKA_LINGER_MS=20")).toEqual({
    label: "slow",
    folder: root,
    env: { KAFKA_LINGER_MS: "20" },
  });
  expect(parseVariant("both=../other,A=1,LD_PRELOAD=/a=b.so")).toEqual({
    label: "both",
    folder: "../other",
    env: { A: "1", LD_PRELOAD: "/a=b.so" },
  });
  expect(() => parseVariant("x=a,b")).toThrow("not a variant");
});
