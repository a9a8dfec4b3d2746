import { expect, test } from "bun:test";
import { settlesWithin } from "./time-limit.ts";

const never = new Promise<never>(() => {});

test("work that settles in time is done, whatever it resolves with", async () => {
  expect(await settlesWithin(Promise.resolve(false), 60_000)).toBe(true);
  expect(await settlesWithin(Promise.resolve(), 0)).toBe(true);
});

test("work that takes longer is not done", async () => {
  expect(await settlesWithin(never, 1)).toBe(false);
  expect(await settlesWithin(never, -1)).toBe(false);
});

test("a rejection in time is thrown", async () => {
  await expect(settlesWithin(Promise.reject(new Error("disk full")), 60_000)).rejects.toThrow("disk full");
});

/** Runs a script that imports this module. @returns its exit code and output */
async function run(script: string): Promise<{ exitCode: number; output: string }> {
  const source = `import { settlesWithin } from ${JSON.stringify(`${import.meta.dir}/time-limit.ts`)};\n${script}`;
  const child = Bun.spawn([process.execPath, "-e", source], { stdout: "pipe", stderr: "pipe" });
  const output = (await child.stdout.text()) + (await child.stderr.text());
  return { exitCode: await child.exited, output };
}

test("a rejection after the limit is no unhandled rejection", async () => {
  const { exitCode, output } = await run(`
    const { promise, reject } = Promise.withResolvers();
    console.log(await settlesWithin(promise, 1));
    reject(new Error("too late"));
    await Bun.sleep(0);
    console.log("alive");
  `);
  expect(output).toBe("false\nalive\n");
  expect(exitCode).toBe(0);
});

test("the timer keeps the process alive while it waits, and not after the work has settled", async () => {
  expect(await run("console.log(await settlesWithin(new Promise(() => {}), 10));")).toEqual({
    exitCode: 0,
    output: "false\n",
  });
  // With the timer left behind this script would run into the test's own time limit.
  expect(await run("console.log(await settlesWithin(Promise.resolve(), 3_600_000));")).toEqual({
    exitCode: 0,
    output: "true\n",
  });
});
