// What the scripts need before anything else works. Only built-in modules here: it runs before `bun install` has.
import { existsSync } from "node:fs";
import { join } from "node:path";

/** The repository's root. */
export const root = join(import.meta.dir, "..");

/**
 * Installs the dependencies where there are none, and builds the native addon where it is missing or stale.
 * @throws Error when either fails; the commands have said why
 */
export async function setUp(): Promise<void> {
  if (!existsSync(join(root, "node_modules", "@ingest"))) {
    await runOrThrow("installing the dependencies", ["install", "--frozen-lockfile"]);
  }
  await runOrThrow("checking the native addon", ["packages/kafka-native/build/install.ts"]);
}

async function runOrThrow(what: string, args: string[]): Promise<void> {
  const child = Bun.spawn([process.execPath, ...args], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const exitCode = await child.exited;
  if (exitCode !== 0)
    throw new Error(`${what} failed: bun ${args.join(" ")} ended with exit code ${exitCode}`);
}
