// Installs what the repository's scripts need. Uses built-in modules only, because it runs before `bun install` has.
// As a program it only installs the dependencies: `bun scripts/set-up.ts && …` works in a fresh clone, and after a pull.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The repository's root. */
export const root = join(import.meta.dir, "..");

/**
 * Installs the dependencies if bun.lock has changed since they were, and builds the native addon if it is missing or stale.
 * @param options.addon "required" fails without it; "wanted" only warns
 * @throws Error when a step fails; its output names the cause
 */
export async function setUp(options: { addon: "required" | "wanted" }): Promise<void> {
  if (!isInstalled()) {
    await installDependencies();
    // Bun caches failed lookups of packages, so a new process has to continue.
    process.exit(await runAgain());
  }
  const env = options.addon === "required" ? { KAFKA_NATIVE_REQUIRED: "1" } : {};
  await runOrThrow("building the native addon", ["packages/kafka-native/build/install.ts"], env);
}

/** Contains the hash of the bun.lock that was installed last. */
const stampFile = join(root, "node_modules", ".installed");

function isInstalled(): boolean {
  return existsSync(stampFile) && readFileSync(stampFile, "utf8") === lockHash();
}

function lockHash(): string {
  return Bun.hash(readFileSync(join(root, "bun.lock"))).toString(16);
}

async function installDependencies(): Promise<void> {
  await runOrThrow("installing the dependencies", ["install", "--frozen-lockfile"]);
  writeFileSync(stampFile, lockHash());
}

async function runOrThrow(step: string, args: string[], env: Record<string, string> = {}): Promise<void> {
  const child = Bun.spawn([process.execPath, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "inherit", "inherit"],
  });
  const exitCode = await child.exited;
  if (exitCode === 0) return;
  throw new Error(`${step} failed: bun ${args.join(" ")} exited with code ${exitCode}`);
}

/** Runs this script again with the same arguments. @returns its exit code */
async function runAgain(): Promise<number> {
  const child = Bun.spawn([process.execPath, ...process.argv.slice(1)], {
    stdio: ["inherit", "inherit", "inherit"],
  });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => child.kill(signal));
  return child.exited;
}

if (import.meta.main && !isInstalled()) await installDependencies();
