#!/usr/bin/env bun
import { parseArgs } from "node:util";
import { settlesWithin } from "@ingest/wait";
import { kafkaVersion } from "./artifacts.ts";
import { startBroker } from "./broker.ts";
import { startEmbedded } from "./embedded.ts";
import { BrokerError } from "./errors.ts";

const usage = `A local Kafka for development, in the foreground, on loopback only. Ctrl-C ends it.

  bun run broker [options]

  --port N        the port on 127.0.0.1 (9092)
  --data-dir DIR  keep the records there between runs (default: a temporary folder, removed at the end)
  --partitions N  for topics that are made without a count (6; the embedded broker's always have 4)
  --embedded      librdkafka's mock cluster, in memory, instead of Apache Kafka: needs no Java
  --help
`;

async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: "string", default: "9092" },
      "data-dir": { type: "string" },
      partitions: { type: "string", default: "6" },
      embedded: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const port = toInteger("--port", values.port, 1, 65_535);
  const partitions = toInteger("--partitions", values.partitions, 1, 10_000);
  const stopped = untilSignal();

  if (!values.embedded) {
    try {
      return await runKafka({ port, partitions, dataDir: values["data-dir"] }, stopped);
    } catch (thrown) {
      const isMissing = thrown instanceof BrokerError && ["no_java", "java_too_old"].includes(thrown.code);
      if (!isMissing || values["data-dir"] !== undefined) throw thrown;
      say(thrown.message);
      say("going on with the embedded broker: in memory, no admin requests");
    }
  }
  await using embedded = await startEmbedded({ port, portSetting: "--port" });
  say(
    `librdkafka's mock cluster is ready on ${embedded.bootstrapServers}; the records are gone when it ends`,
  );
  await stopped;
  return 0;
}

async function runKafka(
  options: { port: number; partitions: number; dataDir: string | undefined },
  stopped: Promise<undefined>,
): Promise<number> {
  const { dataDir, ...rest } = options;
  const starting = startBroker({
    ...rest,
    ...(dataDir === undefined ? {} : { dataDir }),
    portSetting: "--port",
    onProgress: say,
  });
  const broker = await Promise.race([starting, stopped]);
  if (broker === undefined) return 0; // a half-started broker goes with this process
  await using _ = broker;
  const kept = dataDir === undefined ? "removed at the end" : "kept";
  say(`Kafka ${kafkaVersion()} is ready on ${broker.bootstrapServers} (process ${broker.pid})`);
  say(`records in ${broker.dataDir} (${kept}), Kafka's log in ${broker.logFile}`);
  const crashed = await Promise.race([stopped.then(() => false), broker.exited.then(() => true)]);
  // Ctrl-C reaches Kafka too, as one of the terminal's foreground processes: give our own signal its turn.
  if (crashed && !(await settlesWithin(stopped, 500))) {
    say(`Kafka ended by itself: see ${broker.logFile}`);
    return 1;
  }
  say("stopping");
  await broker.stop();
  return 0;
}

function untilSignal(): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let firstAt: number | undefined;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      // `bun run` passes Ctrl-C on to a child that has had it from the terminal already: ignore the echo.
      if (firstAt !== undefined && performance.now() - firstAt > 100) process.exit(1);
      firstAt ??= performance.now();
      resolve(undefined);
    });
  }
  return promise;
}

function toInteger(name: string, text: string, low: number, high: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < low || value > high) {
    throw new TypeError(`${name} must be a whole number from ${low} to ${high}, not "${text}"`);
  }
  return value;
}

function say(message: string): void {
  process.stderr.write(`broker: ${message}\n`);
}

process.exitCode = await main(process.argv.slice(2)).catch((thrown: unknown) => {
  say(thrown instanceof Error ? thrown.message : String(thrown));
  return thrown instanceof TypeError ? 2 : 1;
});
process.exit();
