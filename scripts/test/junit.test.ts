import { describe, expect, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@ingest/testkit";
import { runFiles } from "./run.ts";

const sources = {
  "mixed.test.ts": `
    import { describe, expect, test } from "bun:test";
    test("passes", () => {});
    test.skip("is skipped", () => {});
    test.todo("is to be written");
    describe('in a "group"', () => { test("fails", () => { expect(1).toBe(2); }); });`,
  "good.test.ts": `import { test } from "bun:test"; test("passes", () => {});`,
  "broken.test.ts": `import "./nowhere.ts"; import { test } from "bun:test"; test("never runs", () => {});`,
  "empty.test.ts": "export {};",
  "crash.test.ts": `import { test } from "bun:test"; test("dies", () => { process.kill(process.pid, "SIGSEGV"); });`,
  "hang.test.ts": `import { test } from "bun:test"; test("hangs", () => new Promise(() => { setInterval(() => {}, 1000); }), 60_000);`,
};

async function run(names: (keyof typeof sources)[], limitSeconds = 60) {
  using temporary = temporaryFolder("suite");
  const root = temporary.path;
  for (const name of names) await writeFile(join(root, name), sources[name]);
  return await runFiles({ root, files: names, args: [], env: {}, limitSeconds, quiet: true });
}

describe("a suite's counts", () => {
  test("are those of its tests", async () => {
    const result = await run(["mixed.test.ts", "good.test.ts"]);
    expect(result.counts).toEqual({ passed: 2, failed: 1, skipped: 2 });
    expect(result.notes).toEqual(['mixed.test.ts: in a "group" > fails']);
  });

  test("take a file that can't be loaded for a failure", async () => {
    const result = await run(["good.test.ts", "broken.test.ts"]);
    expect(result.counts).toEqual({ passed: 1, failed: 1, skipped: 0 });
    expect(result.notes.join()).toContain("broken.test.ts");
  });

  test("take a file without tests for a failure", async () => {
    const result = await run(["good.test.ts", "empty.test.ts"]);
    expect(result.counts).toEqual({ passed: 1, failed: 1, skipped: 0 });
  });

  test("take a crash for a failure", async () => {
    const result = await run(["good.test.ts", "crash.test.ts"]);
    expect(result.counts.failed).toBe(1);
    expect(result.notes.join()).toContain("SIGSEGV");
  });

  test("take a suite that hangs for a failure", async () => {
    const result = await run(["hang.test.ts"], 2);
    expect(result.counts.failed).toBe(1);
    expect(result.notes.join()).toContain("2 s");
  }, 20_000);
});
