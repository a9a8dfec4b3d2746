import { afterAll, beforeEach, expect, test } from "bun:test";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@ingest/testkit";
import { hashInputs } from "./inputs.ts";

const { path: root, [Symbol.dispose]: removeFolder } = temporaryFolder("kafka-native-inputs");
afterAll(removeFolder);
const tree = join(root, "tree");

beforeEach(() => {
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(join(tree, "inner"), { recursive: true });
  writeFileSync(join(tree, "a.h"), "one");
  writeFileSync(join(tree, "inner/b.h"), "two");
});

const hash = (dir = tree, facts = ["g++ 12"]): string => hashInputs({ root: dir, paths: [dir], facts });

test("the same for the same content, wherever it is", () => {
  const copy = join(root, "copy");
  cpSync(tree, copy, { recursive: true });
  expect(hash(copy)).toBe(hash());
});

test("another for changed, renamed, added and moved content, and for other facts", () => {
  const seen = new Set([hash(), hash(tree, ["g++ 13"])]);
  writeFileSync(join(tree, "inner/b.h"), "changed");
  seen.add(hash());
  writeFileSync(join(tree, "c.h"), "");
  seen.add(hash());
  rmSync(join(tree, "inner"), { recursive: true });
  seen.add(hash());
  writeFileSync(join(tree, "a.h"), "on");
  writeFileSync(join(tree, "c.h"), "e");
  seen.add(hash());
  expect(seen.size).toBe(6);
});

test("a file by itself, and tests don't count", () => {
  const before = hash();
  writeFileSync(join(tree, "x.test.ts"), "");
  expect(hash()).toBe(before);
  expect(hashInputs({ root, paths: [join(tree, "a.h")], facts: [] })).toHaveLength(32);
});
