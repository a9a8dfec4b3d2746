// Signals and exit codes, on a process of its own.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { until } from "@ingest/testkit";

const modules = import.meta.dir;

function run(program: string) {
  const source = `
    import { createLog, parseSettings, runService, settingsOrExit } from ${JSON.stringify(join(modules, "index.ts"))};
    import { Type } from "@sinclair/typebox";
    const log = createLog("test", { LOG_LEVEL: "info", LOG_FORMAT: "json" });
    ${program}`;
  const child = Bun.spawn([process.execPath, "-e", source], {
    cwd: modules,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of child.stdout) output += decoder.decode(chunk, { stream: true });
  })();
  return {
    kill: (signal: NodeJS.Signals) => child.kill(signal),
    untilLogged: (text: string) => until(`the log line "${text}"`, () => output.includes(text), 20_000),
    async ended() {
      const code = await child.exited;
      await reading;
      return { code, output, errors: await new Response(child.stderr).text() };
    },
  };
}

const SERVICE = `
  await runService(log, async (lifecycle) => {
    await lifecycle.start({ name: "part", stop: async () => { log.info({}, "part stops"); await STOP; }, stopBudgetMs: BUDGET });
    log.info({}, "started");
    setInterval(() => {}, 1000);
  });`;
const service = (stop: string, budgetMs = 10_000) =>
  SERVICE.replace("STOP", stop).replace("BUDGET", String(budgetMs));

describe("runService", () => {
  test.each(["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"] as const)(
    "%s stops the steps and exits with 0",
    async (signal) => {
      const program = run(service("null"));
      await program.untilLogged("started");
      program.kill(signal);
      const { code, output } = await program.ended();
      expect(code).toBe(0);
      expect(output).toContain("part stops");
      expect(output).toContain('"message":"stopped"');
    },
  );

  test("a second signal exits with 1 immediately", async () => {
    const program = run(service("new Promise(() => {})"));
    await program.untilLogged("started");
    program.kill("SIGTERM");
    await program.untilLogged("part stops");
    program.kill("SIGTERM");
    const { code, output } = await program.ended();
    expect(code).toBe(1);
    expect(output).toContain("second signal");
  });

  test("two SIGINTs in quick succession count as one", async () => {
    const program = run(service("Bun.sleep(50)"));
    await program.untilLogged("started");
    program.kill("SIGINT");
    program.kill("SIGINT");
    expect((await program.ended()).code).toBe(0);
  });

  test("SIGHUP never forces the exit: a terminal that closes and its shell both send it", async () => {
    const program = run(service("Bun.sleep(50)"));
    await program.untilLogged("started");
    program.kill("SIGTERM");
    await program.untilLogged("part stops");
    program.kill("SIGHUP");
    expect((await program.ended()).code).toBe(0);
  });

  test("a worker ignores a second signal: its parent decides when to end it", async () => {
    const worker = service("Bun.sleep(50)").replace(/\);\s*$/, ', { secondSignal: "ignore" });');
    const program = run(worker);
    await program.untilLogged("started");
    program.kill("SIGINT");
    await program.untilLogged("part stops");
    program.kill("SIGTERM");
    expect((await program.ended()).code).toBe(0);
  });

  test("a step that doesn't stop in time makes the exit code 1", async () => {
    const program = run(service("new Promise(() => {})", 20));
    await program.untilLogged("started");
    program.kill("SIGTERM");
    expect((await program.ended()).code).toBe(1);
  });

  test("a start that fails stops the started steps and exits with 1", async () => {
    const { code, output } = await run(`
      await runService(log, async (lifecycle) => {
        await lifecycle.start({ name: "part", stop: () => { log.info({}, "part stops"); } });
        throw new Error("no port");
      });`).ended();
    expect(code).toBe(1);
    expect(output).toContain("no port");
    expect(output).toContain("part stops");
  });
});

describe("settingsOrExit", () => {
  test("prints every problem and exits with 2", async () => {
    const { code, errors } = await run(
      `settingsOrExit(() => parseSettings({ A: Type.Integer(), B: Type.Boolean() }, { A: "x" }));`,
    ).ended();
    expect(code).toBe(2);
    expect(errors).toContain('A="x": must be an integer');
    expect(errors).toContain("B: is required");
  });

  test("rethrows any other error", async () => {
    const { code, errors } = await run(`settingsOrExit(() => { throw new Error("other"); });`).ended();
    expect(code).not.toBe(2);
    expect(errors).toContain("other");
  });
});
