// Schemathesis, which generates requests from an OpenAPI document: installed once into the cache, then run.
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { temporaryFolder } from "@ingest/testkit";

const VERSION = "4.32.5";
const cacheRoot = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "bun-kafka-ingest");

async function run(command: string[], env: Record<string, string> = {}) {
  const child = Bun.spawn(command, {
    env: { ...process.env, ...env },
    // Schemathesis creates a folder in its working directory.
    cwd: tmpdir(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [output, errors] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, output: output + errors };
}

/** @returns the command's path, or why it cannot be installed here */
export async function installSchemathesis(): Promise<{ command: string } | { reason: string }> {
  const home = join(cacheRoot, `schemathesis-${VERSION}`);
  const command = join(home, "bin", "schemathesis");
  if (existsSync(command)) return { command };
  if (Bun.which("python3") === null) return { reason: "no python3" };
  // A virtual environment contains its own path, so it is created in place. Its command, renamed last, marks it complete.
  await rm(home, { recursive: true, force: true });
  await mkdir(cacheRoot, { recursive: true });
  const made = await run(["python3", "-m", "venv", home]);
  if (made.exitCode !== 0) return { reason: "python3 has no venv (Debian: python3-venv)" };
  const staged = `${command}.staged`;
  const installed = await run([join(home, "bin", "pip"), "install", "--quiet", `schemathesis==${VERSION}`]);
  if (installed.exitCode !== 0)
    return {
      reason: `pip cannot install schemathesis ${VERSION}: ${installed.output.trim().split("\n").at(-1)}`,
    };
  await rename(command, staged);
  await rename(staged, command);
  return { command };
}

export interface FuzzResult {
  isClean: boolean;
  cases: number;
  output: string;
}

/** JSON Schema can't say all that makes a CloudEvent valid, so generated ones are often rejected. */
function withoutCloudEvents(document: unknown): unknown {
  return JSON.parse(JSON.stringify(document), (name, value: unknown) => {
    if (name.startsWith("application/cloudevents")) return undefined;
    return name === "parameters" && Array.isArray(value)
      ? value.filter((parameter: { name?: string }) => !parameter.name?.startsWith("ce-"))
      : value;
  });
}

/**
 * Sends generated requests to an API that serves its document at /openapi/json.
 * @param flags Schemathesis's options; all checks are on by default
 */
export async function fuzz(command: string, url: string, flags: readonly string[]): Promise<FuzzResult> {
  using folder = temporaryFolder("openapi");
  const document = join(folder.path, "openapi.json");
  await Bun.write(
    document,
    JSON.stringify(withoutCloudEvents(await (await fetch(`${url}/openapi/json`)).json())),
  );
  const { exitCode, output } = await run(
    [command, "run", document, "--url", url, "--no-color", "--phases", "coverage,fuzzing", ...flags],
    { PYTHONDONTWRITEBYTECODE: "1" },
  );
  const cases = Number(/(\d[\d,]*) generated/.exec(output)?.[1]?.replaceAll(",", "") ?? 0);
  return { isClean: exitCode === 0, cases, output };
}
