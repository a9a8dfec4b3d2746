import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@ingest/testkit";

interface Machine {
  /** Runs `ensureKafka` in a process of its own on this machine, and prints the result. */
  ensure(): Promise<string>;
  cache: string;
  /** How often Maven was called. */
  calls(): Promise<number>;
}

/** A machine with an empty cache and a Maven that runs this script. `$target` is the folder that is asked for. */
async function onMachine(
  maven: string | undefined,
  work: (machine: Machine) => Promise<void>,
): Promise<void> {
  using temporary = temporaryFolder("artifacts");
  const folder = temporary.path;
  const bin = join(folder, "bin");
  const callsFile = join(folder, "calls");
  await mkdir(bin);
  if (maven !== undefined) {
    const script = `#!/bin/sh\nPATH=/usr/bin:/bin\necho call >> '${callsFile}'\nfor a; do target=\${a#-DoutputDirectory=}; done\n${maven}\n`;
    await writeFile(join(bin, "mvn"), script);
    await chmod(join(bin, "mvn"), 0o755);
  }
  const program = `
    import { ensureKafka } from ${JSON.stringify(join(import.meta.dir, "artifacts.ts"))};
    const result = await ensureKafka().then(({ classPath }) => classPath, (error) => error.code + ": " + error.message);
    console.log(result);`;
  const ensure = async () => {
    const child = Bun.spawn([process.execPath, "-e", program], {
      env: { ...process.env, PATH: bin, XDG_CACHE_HOME: join(folder, "cache") },
      stdio: ["ignore", "pipe", "inherit"],
    });
    return (await child.stdout.text()).trim();
  };
  const calls = async () =>
    existsSync(callsFile) ? (await Bun.file(callsFile).text()).trim().split("\n").length : 0;
  await work({ ensure, cache: join(folder, "cache"), calls });
}

test("several processes share one download, and later ones use it", () =>
  onMachine(`mkdir -p "$target"; sleep 0.5; touch "$target/b.jar" "$target/a.jar"`, async (machine) => {
    const classPaths = await Promise.all([machine.ensure(), machine.ensure(), machine.ensure()]);
    expect(new Set(classPaths).size).toBe(1);
    expect(classPaths[0]).toMatch(/\/libs\/a\.jar:.*\/libs\/b\.jar$/);
    expect(await machine.ensure()).toBe(classPaths[0]!);
    expect(await machine.calls()).toBe(1);
  }));

test("a failed download reports why, leaves nothing behind, and is retried by the next call", () =>
  onMachine(
    `mkdir -p "$target"; touch "$target/a.jar"; echo "[ERROR] no network"; exit 1`,
    async (machine) => {
      expect(await machine.ensure()).toMatch(/^download_failed: (.|\n)*no network/);
      const left = await readdir(machine.cache, { recursive: true });
      expect(left.some((path) => path.endsWith("libs"))).toBe(false);
      await machine.ensure();
      expect(await machine.calls()).toBe(2);
    },
  ));

test("a missing Maven is reported", () =>
  onMachine(undefined, async (machine) => {
    expect(await machine.ensure()).toStartWith("no_maven: no Maven");
  }));
