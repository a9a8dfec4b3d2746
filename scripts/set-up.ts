// What the scripts need before anything else works. Only built-in modules here: it runs before `bun install` has.
import { existsSync } from "node:fs";
import { join } from "node:path";

/** The repository's root. */
export const root = join(import.meta.dir, "..");

/**
 * Installs the dependencies where there are none, and builds the native addon where it is missing or stale.
 * @param options.addon "required" fails without it; "wanted" only warns
 * @throws Error when a step fails; its command has said why
 */
export async function setUp(options: { addon: "required" | "wanted" }): Promise<void> {
  if (!existsSync(join(root, "node_modules", "@ingest"))) {
    await installDependencies();
    // This process has looked for packages while there were none, and Bun remembers what it found: begin anew.
    process.exit(await runAgain());
  }
  const env = options.addon === "required" ? { KAFKA_NATIVE_REQUIRED: "1" } : {};
  await runOrThrow("building the native addon", ["packages/kafka-native/build/install.ts"], env);
}

/** @throws Error when it fails; it has said why */
export function installDependencies(): Promise<void> {
  return runOrThrow("installing the dependencies", ["install", "--frozen-lockfile"]);
}

async function runOrThrow(what: string, args: string[], env: Record<string, string> = {}): Promise<void> {
  const child = Bun.spawn([process.execPath, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const exitCode = await child.exited;
  if (exitCode === 0) return;
  throw new Error(`${what} failed: bun ${args.join(" ")} ended with exit code ${exitCode}`);
}

/** Runs this script once more, with its arguments, to its end. @returns its exit code */
async function runAgain(): Promise<number> {
  const child = Bun.spawn([process.execPath, ...process.argv.slice(1)], {
    stdio: ["inherit", "inherit", "inherit"],
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  return child.exited;
}
