import { closeSync, existsSync, openSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { ensureKafka, type KafkaArtifacts, withLock } from "./artifacts.ts";
import { findJava, type Java } from "./java.ts";

/** Java and Kafka, ready to be started. */
export interface KafkaRuntime {
  java: Java;
  kafka: KafkaArtifacts;
  /** Kafka's classes, parsed and laid out by an earlier run: a start in a third of the time and CPU. */
  classArchive: string;
}

/**
 * Finds or gets what a broker needs on this machine.
 * @throws BrokerError `no_java`, `java_too_old`, `no_maven`, `download_failed`
 */
export async function prepareRuntime(onProgress?: (message: string) => void): Promise<KafkaRuntime> {
  const java = await findJava();
  const kafka = await ensureKafka(onProgress);
  const classArchive = join(kafka.home, `classes-${java.version.replaceAll(/[^\w.]/g, "_")}.jsa`);
  return { java, kafka, classArchive };
}

/** Small heap, no waiting for the optimising compiler: starts fast and leaves the cores to what is tested. */
const commonFlags = [
  "-XX:+UseSerialGC",
  "-XX:TieredStopAtLevel=1",
  "-Djava.net.preferIPv4Stack=true",
  "-Dorg.slf4j.simpleLogger.defaultLogLevel=info",
  "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn",
  "-Dorg.slf4j.simpleLogger.showDateTime=true",
  "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
];

export interface JavaProgram {
  /** One of Kafka's main classes. */
  main: string;
  args: readonly string[];
  /** The largest heap. */
  heapMiB: number;
}

/** The command line for one of Kafka's programs. */
export function javaCommand(
  runtime: KafkaRuntime,
  { main, args, heapMiB }: JavaProgram,
  dumpArchiveTo?: string,
): string[] {
  const archive = dumpArchiveTo
    ? [`-XX:ArchiveClassesAtExit=${dumpArchiveTo}`]
    : existsSync(runtime.classArchive)
      ? ["-Xshare:auto", `-XX:SharedArchiveFile=${runtime.classArchive}`]
      : [];
  const flags = [`-Xmx${heapMiB}m`, ...commonFlags, ...archive];
  return [runtime.java.command, ...flags, "-cp", runtime.kafka.classPath, main, ...args];
}

/**
 * Starts a broker process whose output goes to a file.
 * On Linux it dies with the process that started it, even when that one is killed with SIGKILL.
 */
export function spawnJvm(command: string[], logFile: string): Subprocess {
  const guard = Bun.which("setpriv") ? ["setpriv", "--pdeathsig", "KILL", "--"] : [];
  const log = openSync(logFile, "a");
  const child = Bun.spawn([...guard, ...command], {
    stdio: ["ignore", log, log],
    // Ctrl-C at a terminal reaches the starting process alone, which stops a cluster's nodes in order.
    detached: true,
  });
  closeSync(log);
  return child;
}

/**
 * Makes the class archive when there is none yet. `run` starts and cleanly stops a broker with the archive's path
 * as `dumpArchiveTo`. Where Java can't write one, brokers start without, only slower.
 */
export async function ensureClassArchive(
  runtime: KafkaRuntime,
  run: (dumpArchiveTo: string) => Promise<void>,
): Promise<void> {
  if (existsSync(runtime.classArchive)) return;
  await withLock(runtime.kafka.home, async () => {
    if (existsSync(runtime.classArchive)) return;
    const partial = `${runtime.classArchive}.partial`;
    await rm(partial, { force: true });
    await run(partial);
    if (existsSync(partial)) await rename(partial, runtime.classArchive);
  });
}
