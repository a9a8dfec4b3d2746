#!/usr/bin/env bun
// The whole way of an event on a machine without Docker: Kafka, producer, consumer, load, and the proof of arrival.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import type { Report } from "../bench/src/report/schema.ts";
// By its path: before `bun install` there is no @ingest/cli-flags.
import { type Command, type CommandLine, runCommand } from "../packages/cli-flags/src/index.ts";
import { EventLines, untilLogged } from "./demo/arrival.ts";
import { remember, sources, stillKept, stopKept } from "./demo/kept.ts";
import { answersOk, endsWithUs, type Part, type PartOptions, startPart } from "./demo/parts.ts";
import { root, setUp } from "./set-up.ts";

const flags = {
  requests: { kind: "integer", min: 1, default: "100000", help: "events to send" },
  keep: { kind: "switch", help: "leave everything running at the end" },
  stop: { kind: "switch", help: "stop what an earlier --keep left running" },
} as const;

const command: Command<typeof flags> = {
  name: "bun run demo",
  about:
    "Starts a local Kafka, the producer and the consumer, sends events with the bench, and verifies that every event arrived.",
  flags,
  notes: `Ports: 9092 for Kafka, 3000 for the producer, 3001 for the consumer's health; free ones where these are taken.
Exit code 0 when every accepted event is in the topic and in the consumer's log.`,
};

/** No new line in the consumer's log for so long: what is missing then is not coming. */
const arrivalIdleMs = 30_000;

interface Running {
  parts: Part[];
  bench?: Subprocess;
  isEnding: boolean;
  folder: string;
}

async function main({ values }: CommandLine<typeof flags>): Promise<number> {
  if (values.stop) {
    const stopped = await stopKept();
    say(stopped.length === 0 ? "nothing was running" : `stopped ${stopped.join(", ")}`);
    return 0;
  }
  if (values.keep && (await stillKept())) {
    say("an earlier --keep still runs: bun run demo --stop ends it");
    return 1;
  }

  const running: Running = {
    parts: [],
    isEnding: false,
    folder: await mkdtemp(join(tmpdir(), "ingest-demo-")),
  };
  const interrupted = untilInterrupted();
  let isKept = false;
  try {
    const result = await Promise.race([demonstrate(running, values.requests, values.keep), interrupted]);
    isKept = values.keep && result !== "interrupted";
    if (isKept) {
      await remember(running.folder, running.parts);
      say(`left running; logs in ${running.folder}; bun run demo --stop ends it`);
    }
    return result === "interrupted" ? 130 : result;
  } finally {
    if (!isKept) await stopAll(running);
  }
}

async function demonstrate(running: Running, requests: number, isKept: boolean): Promise<number> {
  await setUp({ addon: "required" });
  const { broker, producer, health } = await choosePorts();
  const bootstrapServers = `127.0.0.1:${broker}`;
  const producerUrl = `http://127.0.0.1:${producer}`;
  const shared = { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers, LOG_FORMAT: "json" };
  const { brokerAnswers } = await import("@ingest/broker");
  const start = async (name: string, args: string[], rest: Pick<PartOptions, "env" | "isReady">) => {
    const part = startPart({
      name,
      args: [sources[name]!, ...args],
      logFolder: running.folder,
      isKept,
      // The first start on a machine downloads Kafka.
      readyWithinMs: name === "broker" ? 600_000 : 60_000,
      ...rest,
    });
    running.parts.push(part);
    await part.untilReady();
    return part;
  };

  say("starting Kafka (the first time on a machine it is downloaded)");
  await start("broker", ["--port", String(broker)], { isReady: () => brokerAnswers(broker) });
  say("starting the producer");
  await start("producer", [], {
    env: {
      ...shared,
      HOST: "127.0.0.1",
      PORT: String(producer),
      JOURNAL_DIR: join(running.folder, "journal"),
    },
    isReady: () => answersOk(`${producerUrl}/health/ready`),
  });
  say("starting the consumer");
  const consumer = await start("consumer", [], {
    env: { ...shared, HEALTH_PORT: String(health) },
    isReady: () => answersOk(`http://127.0.0.1:${health}/health/ready`),
  });

  say(`Kafka ${bootstrapServers}, producer ${producerUrl}, consumer http://127.0.0.1:${health}/health/ready`);
  const { exitCode, report } = await fire(running, requests, producerUrl, bootstrapServers);
  return showArrival(exitCode, report, consumer);
}

async function choosePorts(): Promise<{ broker: number; producer: number; health: number }> {
  const { freePort, isPortFree } = await import("@ingest/broker");
  const choose = async (wanted: number, what: string) => {
    if (await isPortFree(wanted)) return wanted;
    const port = await freePort();
    say(`port ${wanted} is taken: ${what} gets ${port}`);
    return port;
  };
  return {
    broker: await choose(9092, "Kafka"),
    producer: await choose(3000, "the producer"),
    health: await choose(3001, "the consumer's health"),
  };
}

async function fire(running: Running, requests: number, url: string, bootstrapServers: string) {
  say(`firing ${requests} events`);
  const reportFile = join(running.folder, "bench.json");
  const args = ["--url", url, "--requests", String(requests), "--verify", "--json", reportFile];
  const child = Bun.spawn([...endsWithUs("KILL"), process.execPath, "bench/src/main.ts", ...args], {
    cwd: root,
    env: { ...process.env, KAFKA_BOOTSTRAP_SERVERS: bootstrapServers },
    stdio: ["ignore", "inherit", "inherit"],
  });
  running.bench = child;
  const exitCode = await child.exited;
  // Whoever waits for this has gone; there is no proof to show.
  if (running.isEnding) throw new Error("interrupted");
  const file = Bun.file(reportFile);
  return { exitCode, report: (await file.exists()) ? ((await file.json()) as Report) : undefined };
}

async function showArrival(
  benchExitCode: number,
  report: Report | undefined,
  consumer: Part,
): Promise<number> {
  if (report?.verification == null) {
    say(`the bench ended with exit code ${benchExitCode} and without a proof`);
    return 1;
  }
  const { accepted, stored, missing } = report.verification;
  const log = new EventLines(consumer.logFile);
  const allLogged = await untilLogged(log, accepted, arrivalIdleMs);
  say("the end of the consumer's log");
  for (const line of log.last) console.log(line.length > 400 ? `${line.slice(0, 400)}…` : line);
  say("proof of arrival");
  console.log(`requests/s       ${Math.round(report.requests.perSecond)}`);
  console.log(`accepted         ${accepted}`);
  console.log(`in the topic     ${stored}`);
  console.log(`missing          ${missing}`);
  console.log(`handled, logged  ${log.events} (${log.lines} lines)`);
  return benchExitCode === 0 && accepted > 0 && missing === 0 && allLogged ? 0 : 1;
}

/** Resolves on Ctrl-C and SIGTERM, the first of them; `bun run` may pass the same one on a second time. */
function untilInterrupted(): Promise<"interrupted"> {
  const { promise, resolve } = Promise.withResolvers<"interrupted">();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => resolve("interrupted"));
  return promise;
}

async function stopAll(running: Running): Promise<void> {
  const { parts, bench, folder } = running;
  running.isEnding = true;
  bench?.kill("SIGKILL");
  if (parts.length > 0) say("stopping");
  for (const part of parts.toReversed()) await part.stop();
  await rm(folder, { recursive: true, force: true });
}

function say(message: string): void {
  console.log(`\n── ${message}`);
}

process.exitCode = await runCommand(command, process.argv.slice(2), main).catch((thrown: unknown) => {
  console.error(thrown instanceof Error ? thrown.message : String(thrown));
  return 1;
});
process.exit();
