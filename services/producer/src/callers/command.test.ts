// `bun run callers`, as a program.
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@ingest/testkit";

const program = join(import.meta.dir, "../callers.ts");

async function run(args: string[], env: Record<string, string> = {}) {
  const child = Bun.spawn([process.execPath, program, ...args], {
    env: { PATH: process.env.PATH ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { code: await child.exited, stdout, stderr };
}

test("new-key prints the key once, and an entry with its SHA-256 that `check` accepts", async () => {
  const { code, stdout, stderr } = await run([
    "new-key",
    "--expires-at",
    "2027-01-31T00:00:00Z",
    "--in-query",
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const key = /^key +(ingest_\S{43})$/m.exec(stdout)?.[1] ?? "";
  const entry: unknown = JSON.parse(/^entry +(.*)$/m.exec(stdout)?.[1] ?? "");
  expect(stdout.split(key)).toHaveLength(2);
  expect(entry).toEqual({
    sha256: createHash("sha256").update(key).digest("hex"),
    expires_at: "2027-01-31T00:00:00Z",
    in_query: true,
  });
  using folder = temporaryFolder();
  const CALLERS_FILE = join(folder.path, "callers.json");
  writeFileSync(CALLERS_FILE, JSON.stringify({ callers: [{ id: "shop", keys: [entry] }] }));
  expect(await run(["check"], { CALLERS_FILE })).toEqual({
    code: 0,
    stdout: `${CALLERS_FILE}: 1 callers with 1 keys; requests without a key are refused\n`,
    stderr: "",
  });
});

test("two keys differ", async () => {
  const [one, other] = await Promise.all([run(["new-key"]), run(["new-key"])]);
  expect(one.stdout).not.toBe(other.stdout);
});

test.each([
  [
    "a file with a problem",
    ["check"],
    '{"callers":[{"id":"a","keys":[]}]}',
    "/callers/0/keys must not be empty",
  ],
  ["no CALLERS_FILE", ["check"], undefined, "CALLERS_FILE is not set"],
  ["an invalid date", ["new-key", "--expires-at", "tomorrow"], undefined, "--expires-at must be a date-time"],
  ["another command", ["list"], undefined, "new-key or check"],
  ["no command", [], undefined, "new-key|check"],
])("%s is exit code 2, with the reason on standard error", async (_, args, text, reason) => {
  using folder = temporaryFolder();
  const path = join(folder.path, "callers.json");
  if (text !== undefined) writeFileSync(path, text);
  const { code, stdout, stderr } = await run(args, text === undefined ? {} : { CALLERS_FILE: path });
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(reason);
});
