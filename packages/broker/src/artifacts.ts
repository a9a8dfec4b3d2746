import { existsSync, readFileSync } from "node:fs";
import { readdir, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { withFileLock } from "@ingest/file-lock";
import { BrokerError } from "./errors.ts";
import { lastLines, runCommand } from "./run.ts";

const pomPath = join(import.meta.dir, "..", "pom.xml");

/** Kafka's jars on this machine. */
export interface KafkaArtifacts {
  version: string;
  /** Holds `libs` and files derived from them. */
  home: string;
  classPath: string;
}

/** The Kafka version that the pom names. */
export function kafkaVersion(): string {
  return installation().version;
}

/** Are Kafka's jars on this machine already? */
export function hasKafka(): boolean {
  return existsSync(installation().libs);
}

/** The pom's Kafka version and its folder, which is the pom's own. */
function installation(): { version: string; home: string; libs: string } {
  const pom = readFileSync(pomPath, "utf8");
  const version = /<kafka\.version>([^<]+)</.exec(pom)?.[1];
  if (version === undefined) throw new Error(`${pomPath} names no kafka.version`);
  const home = join(cacheFolder(), `kafka-${version}-${Bun.hash(pom).toString(16).slice(0, 8)}`);
  return { version, home, libs: join(home, "libs") };
}

/** The folder where Kafka is kept between runs: `$XDG_CACHE_HOME/bun-kafka-ingest`, by default in `~/.cache`. */
export function cacheFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "bun-kafka-ingest");
}

/**
 * Kafka's jars, downloaded by Maven on the first call on a machine and found in the cache after that.
 * Processes that need them at the same time share one download; an interrupted one leaves nothing behind.
 * @throws BrokerError `no_maven` or `download_failed`
 */
export async function ensureKafka(onProgress: (message: string) => void = () => {}): Promise<KafkaArtifacts> {
  const { version, home, libs } = installation();
  if (!existsSync(libs)) {
    await withLock(home, async () => {
      if (!existsSync(libs)) await download(version, libs, onProgress);
    });
  }
  const jars = (await readdir(libs)).filter((name) => name.endsWith(".jar")).sort();
  return { version, home, classPath: jars.map((name) => join(libs, name)).join(":") };
}

/** Runs `work` while no other process of this machine holds the lock on what is kept in the folder. */
export function withLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  return withFileLock(join(folder, "lock"), work);
}

async function download(version: string, libs: string, onProgress: (message: string) => void): Promise<void> {
  onProgress(`downloading Kafka ${version} with Maven (about 45 MB, once)`);
  const partial = `${libs}.partial`;
  await rm(partial, { recursive: true, force: true });
  const command = [
    "mvn",
    "-q",
    "-B",
    "-f",
    pomPath,
    "dependency:copy-dependencies",
    `-DoutputDirectory=${partial}`,
  ];
  const { exitCode, output } = await runCommand(command);
  if (exitCode === 127) {
    throw new BrokerError(
      "no_maven",
      `no Maven: Kafka ${version} is not in ${cacheFolder()} yet, and mvn, which downloads it, is not on PATH.`,
    );
  }
  if (exitCode !== 0) {
    await writeFile(`${libs}.log`, output);
    throw new BrokerError(
      "download_failed",
      `Maven could not get Kafka ${version} (whole output: ${libs}.log):\n${lastLines(output, 15)}`,
    );
  }
  await rename(partial, libs);
}
