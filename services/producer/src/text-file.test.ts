import { expect, test } from "bun:test";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@ingest/testkit";
import { readTextFile } from "./text-file.ts";

const MIB = 1024 * 1024;

test("a text is read without its byte order mark, through links", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "file");
  writeFileSync(path, "\ufeffgrößer");
  symlinkSync("file", `${path}.link`);
  expect(readTextFile(`${path}.link`)).toBe("größer");
});

test.each<[string, (path: string) => void, string]>([
  ["a folder", (path) => mkdirSync(path), "is not a regular file"],
  [
    "a pipe, which would be waited for",
    (path) => void Bun.spawnSync(["mkfifo", path]),
    "is not a regular file",
  ],
  ["an endless device", (path) => symlinkSync("/dev/zero", path), "is not a regular file"],
  ["a link to itself", (path) => symlinkSync(path, path), "can't be read (ELOOP)"],
  ["nothing", () => {}, "can't be read (ENOENT)"],
  ["bytes that are not UTF-8", (path) => writeFileSync(path, Buffer.from([0x7b, 0xff])), "is not UTF-8"],
  [
    "far too much",
    (path) => {
      writeFileSync(path, "");
      truncateSync(path, 100 * MIB);
    },
    `has ${100 * MIB} bytes, more than ${16 * MIB}`,
  ],
])("refuses %s, and says why", (_, make, message) => {
  using folder = temporaryFolder();
  const path = join(folder.path, "file");
  make(path);
  expect(() => readTextFile(path)).toThrow(message);
});
