// Every command of the repository: an unknown flag ends it with exit code 2, and --help describes it.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const { scripts } = (await Bun.file(join(root, "package.json")).json()) as {
  scripts: Record<string, string>;
};

/** The program that ends a script and gets its arguments, such as `scripts/demo.ts`. */
function programOf(script: string): string[] {
  const program = /(?:^|&& )(?:exec )?bun ([\w/.-]+\.ts)$/.exec(script)?.[1];
  return program === undefined ? [] : [program];
}

const programs = [
  ...Object.values(scripts).flatMap(programOf),
  ...new Bun.Glob("benchmarks/*/main.ts").scanSync(root),
  "benchmarks/peers/echo-server.ts",
  "benchmarks/peers/publish.ts",
  "packages/kafka-native/conformance/sanitize.ts",
  "packages/kafka-native/soak/soak.ts",
  "scripts/terminal-picture.ts",
].filter((program) => program !== "packages/kafka-native/build/install.ts");

async function run(program: string, flag: string) {
  const child = Bun.spawn([process.execPath, program, flag], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 20_000,
  });
  const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, stdout, stderr };
}

describe.each([...new Set(programs)])("%s", (program) => {
  test("rejects an unknown flag by its name", async () => {
    const { exitCode, stdout, stderr } = await run(program, "--nonsense");
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
    expect(stderr).toStartWith("--nonsense is not a flag of ");
  });

  test("describes itself", async () => {
    const { exitCode, stdout } = await run(program, "--help");
    expect(exitCode).toBe(0);
    expect(stdout).toContain("--help");
  });
});
