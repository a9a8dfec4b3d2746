#!/usr/bin/env bun
// The demo for machines without Docker: starts Kafka, producer and consumer, sends events, and proves their arrival.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import type { Report } from "../bench/src/report/schema.ts";
// By its path: before `bun install` there is no @ingest/cli-flags.
import { type Command, type CommandLine, runCommand } from "../packages/cli-flags/src/index.ts";
import { EventLines, untilLogged } from "./demo/event-log.ts";
import { isStillRunning, saveRunning, sources, stopRunning } from "./demo/left-running.ts";
import {
  type DemoProcess,
  killedWithParent,
  type ProcessOptions,
  respondsOk,
  startProcess,
} from "./demo/processes.ts";
import { root, setUp } from "./set-up.ts";

const flags = {
  requests: { kind: "integer", min: 1, default: "100000", help: "events to send" },
  keep: { kind: "switch", help: "leave everything running" },
  stop: { kind: "switch", help: "stop the processes that --keep left running" },
} as const;

const command: Command<typeof flags> = {
  name: "bun run demo",
  about:
    "Starts a local Kafka, the producer and the consumer, sends events with the bench, and verifies that every event arrived.",
  flags,
  notes: `Ports: 9092 for Kafka, 3000 for the producer, 3001 for the consumer's health; other free ports if these are in use.
Exit code 0 if every accepted event is in the topic and in the consumer's log.`,
};

/** Events that are missing after no new log line for this long count as lost. */
const arrivalIdleMs = 30_000;

interface Running {
  processes: DemoProcess[];
  bench?: Subprocess;
  isStopping: boolean;
  folder: string;
}

async function main({ values }: CommandLine<typeof flags>): Promise<number> {
  if (values.stop) {
    const stopped = await stopRunning();
    printStep(stopped.length === 0 ? "nothing was running" : `stopped ${stopped.join(", ")}`);
    return 0;
  }
  if (values.keep && (await isStillRunning())) {
    printStep("an earlier --keep is still running; stop it with: bun run demo --stop");
    return 1;
  }

  const running: Running = {
    processes: [],
    isStopping: false,
    folder: await mkdtemp(join(tmpdir(), "ingest-demo-")),
  };
  const interrupted = untilInterrupted();
  let isLeftRunning = false;
  try {
    const result = await Promise.race([demonstrate(running, values.requests, values.keep), interrupted]);
    isLeftRunning = values.keep && result !== "interrupted";
    if (isLeftRunning) {
      await saveRunning(running.folder, running.processes);
      printStep(`left running; logs in ${running.folder}; stop with: bun run demo --stop`);
    }
    return result === "interrupted" ? 130 : result;
  } finally {
    if (!isLeftRunning) await stopAll(running);
  }
}

async function demonstrate(running: Running, requests: number, isDetached: boolean): Promise<number> {
  await setUp({ addon: "required" });
  const { broker, producer, health } = await choosePorts();
  const bootstrapServers = `127.0.0.1:${broker}`;
  const producerUrl = `http://127.0.0.1:${producer}`;
  const shared = { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers, LOG_FORMAT: "json" };
  const { brokerResponds } = await import("@ingest/broker");
  const start = async (name: string, args: string[], rest: Pick<ProcessOptions, "env" | "isReady">) => {
    const started = startProcess({
      name,
      args: [sources[name]!, ...args],
      logFolder: running.folder,
      isDetached,
      // The first start on a machine downloads Kafka.
      readyTimeoutMs: name === "broker" ? 600_000 : 60_000,
      ...rest,
    });
    running.processes.push(started);
    await started.untilReady();
    return started;
  };

  printStep("starting Kafka (downloaded at the first start)");
  await start("broker", ["--port", String(broker)], { isReady: () => brokerResponds(broker) });
  printStep("starting the producer");
  await start("producer", [], {
    env: {
      ...shared,
      HOST: "127.0.0.1",
      PORT: String(producer),
      // No load balancer has to notice that it stops.
      SHUTDOWN_DELAY_MS: "0",
      JOURNAL_DIR: join(running.folder, "journal"),
    },
    isReady: () => respondsOk(`${producerUrl}/health/ready`),
  });
  printStep("starting the consumer");
  const consumer = await start("consumer", [], {
    env: { ...shared, HEALTH_PORT: String(health) },
    isReady: () => respondsOk(`http://127.0.0.1:${health}/health/ready`),
  });

  printStep(
    `Kafka ${bootstrapServers}, producer ${producerUrl}, consumer http://127.0.0.1:${health}/health/ready`,
  );
  const { exitCode, report } = await fire(running, requests, producerUrl, bootstrapServers);
  return showArrival(exitCode, report, consumer);
}

async function choosePorts(): Promise<{ broker: number; producer: number; health: number }> {
  const { freePort, isPortFree } = await import("@ingest/broker");
  const choose = async (wanted: number, owner: string) => {
    if (await isPortFree(wanted)) return wanted;
    const port = await freePort();
    printStep(`port ${wanted} is in use: ${owner} gets ${port}`);
    return port;
  };
  return {
    broker: await choose(9092, "Kafka"),
    producer: await choose(3000, "the producer"),
    health: await choose(3001, "the consumer's health"),
  };
}

async function fire(running: Running, requests: number, url: string, bootstrapServers: string) {
  printStep(`sending ${requests} events`);
  const reportFile = join(running.folder, "bench.json");
  const args = ["--url", url, "--requests", String(requests), "--verify", "--json", reportFile];
  const child = Bun.spawn([...killedWithParent("KILL"), process.execPath, "bench/src/main.ts", ...args], {
    cwd: root,
    env: { ...process.env, KAFKA_BOOTSTRAP_SERVERS: bootstrapServers },
    stdio: ["ignore", "inherit", "inherit"],
  });
  running.bench = child;
  const exitCode = await child.exited;
  // Interrupted: there is no result to show.
  if (running.isStopping) throw new Error("interrupted");
  const file = Bun.file(reportFile);
  return { exitCode, report: (await file.exists()) ? ((await file.json()) as Report) : undefined };
}

async function showArrival(
  benchExitCode: number,
  report: Report | undefined,
  consumer: DemoProcess,
): Promise<number> {
  if (report?.verification == null) {
    printStep(`the bench exited with code ${benchExitCode}, without a verification`);
    return 1;
  }
  const { accepted, stored, missing } = report.verification;
  const log = new EventLines(consumer.logFile);
  const allLogged = await untilLogged(log, accepted, arrivalIdleMs);
  printStep("last lines of the consumer's log");
  for (const line of log.last) console.log(line.length > 400 ? `${line.slice(0, 400)}…` : line);
  printStep("proof of arrival");
  console.log(`requests/s       ${Math.round(report.requests.perSecond)}`);
  console.log(`accepted         ${accepted}`);
  console.log(`in the topic     ${stored}`);
  console.log(`missing          ${missing}`);
  console.log(`handled, logged  ${log.events} (${log.lines} lines)`);
  return benchExitCode === 0 && accepted > 0 && missing === 0 && allLogged ? 0 : 1;
}

/** Resolves at the first SIGINT, SIGTERM or SIGHUP. `bun run` may forward the same signal twice. */
function untilInterrupted(): Promise<"interrupted"> {
  const { promise, resolve } = Promise.withResolvers<"interrupted">();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => resolve("interrupted"));
  return promise;
}

async function stopAll(running: Running): Promise<void> {
  const { processes, bench, folder } = running;
  running.isStopping = true;
  bench?.kill("SIGKILL");
  if (processes.length > 0) printStep("stopping");
  for (const started of processes.toReversed()) await started.stop();
  await rm(folder, { recursive: true, force: true });
}

function printStep(message: string): void {
  console.log(`\n── ${message}`);
}

process.exitCode = await runCommand(command, process.argv.slice(2), main).catch((thrown: unknown) => {
  console.error(thrown instanceof Error ? thrown.message : String(thrown));
  return 1;
});
process.exit();
