#!/usr/bin/env bun
import { type Command, type CommandLine, runCommand } from "@ingest/cli-flags";
import { kafkaVersion } from "./artifacts.ts";
import { startBroker } from "./broker.ts";
import { startCluster } from "./cluster.ts";
import { nodesOf, runCommands } from "./commands.ts";
import { startEmbedded } from "./embedded.ts";
import { BrokerError } from "./errors.ts";

const flags = {
  brokers: {
    kind: "integer",
    min: 1,
    max: 9,
    default: "1",
    help: "how many; several have a controller beside them",
  },
  port: {
    kind: "integer",
    min: 1,
    max: 65_535,
    default: "9092",
    help: "the port on 127.0.0.1; further brokers take the ports behind it",
  },
  "data-dir": {
    kind: "text",
    value: "DIR",
    help: "keep the records in this folder (default: a temporary folder, removed at the end)",
  },
  partitions: {
    kind: "integer",
    min: 1,
    max: 10_000,
    default: "6",
    help: "of topics that are created without a count; the embedded broker's always have 4",
  },
  "min-insync-replicas": {
    kind: "integer",
    min: 1,
    max: 9,
    help: "of several brokers: the in-sync replicas that acks=all needs (default: 2)",
  },
  embedded: {
    kind: "switch",
    help: "librdkafka's mock cluster, in memory, instead of Apache Kafka: needs no Java",
  },
} as const;

const command: Command<typeof flags> = {
  name: "bun run broker",
  about: "Runs a local Kafka for development in the foreground, on loopback only. Ctrl-C stops it.",
  flags,
  notes: `With several brokers, standard input takes commands: kill, stop, start, pause or resume, and the number of a broker or
"controller", such as "kill 2".`,
};

async function main({ values }: CommandLine<typeof flags>): Promise<number> {
  const { port, brokers } = values;
  const stopped = untilSignal();

  if (!values.embedded) {
    try {
      return await (brokers === 1 ? runKafka(values, stopped) : runCluster(values, stopped));
    } catch (thrown) {
      const isMissing = thrown instanceof BrokerError && ["no_java", "java_too_old"].includes(thrown.code);
      if (!isMissing || values["data-dir"] !== undefined) throw thrown;
      print(thrown.message);
      print("starting the embedded broker instead: in memory, without admin requests");
    }
  }
  await using embedded = await startEmbedded({ port, brokers, portSetting: "--port" });
  print(
    `librdkafka's mock cluster is ready on ${embedded.bootstrapServers}; it keeps records in memory only`,
  );
  await stopped;
  return 0;
}

type Values = CommandLine<typeof flags>["values"];

function toOptions(values: Values) {
  const { port, partitions, "data-dir": dataDir } = values;
  return {
    port,
    partitions,
    ...(dataDir === undefined ? {} : { dataDir }),
    portSetting: "--port",
    onProgress: print,
  };
}

async function runKafka(values: Values, stopped: Promise<undefined>): Promise<number> {
  const options = toOptions(values);
  const broker = await Promise.race([startBroker(options), stopped]);
  if (broker === undefined) return 0; // a half-started broker ends with this process
  await using _ = broker;
  const kept = options.dataDir === undefined ? "removed at the end" : "kept";
  print(`Kafka ${kafkaVersion()} is ready on ${broker.bootstrapServers} (process ${broker.pid})`);
  print(`records in ${broker.dataDir} (${kept}), Kafka's log in ${broker.logFile}`);
  const crashed = await Promise.race([stopped.then(() => false), broker.exited.then(() => true)]);
  if (crashed) {
    print(`Kafka exited unexpectedly: see ${broker.logFile}`);
    return 1;
  }
  print("stopping");
  await broker.stop();
  return 0;
}

async function runCluster(values: Values, stopped: Promise<undefined>): Promise<number> {
  const { brokers, "min-insync-replicas": minInsyncReplicas } = values;
  const { port, ...options } = toOptions(values);
  const starting = startCluster({
    ...options,
    brokers,
    ports: Array.from({ length: brokers }, (_, index) => port + index),
    ...(minInsyncReplicas === undefined ? {} : { minInsyncReplicas }),
  });
  const cluster = await Promise.race([starting, stopped]);
  if (cluster === undefined) return 0; // a half-started cluster ends with this process
  await using _ = cluster;
  print(`Kafka ${kafkaVersion()} is ready on ${cluster.bootstrapServers}`);
  for (const [name, node] of nodesOf(cluster))
    print(
      `${name === "controller" ? name : `broker ${name}`}: process ${node.pid}, Kafka's log in ${node.logFile}`,
    );
  void runCommands(cluster, process.stdin, print);
  await stopped;
  print("stopping");
  await cluster.stop();
  return 0;
}

function untilSignal(): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let firstAt: number | undefined;
  for (const signal of ["SIGINT", "SIGTERM", "SIGQUIT", "SIGHUP"] as const) {
    process.on(signal, () => {
      // `bun run` forwards Ctrl-C to a child that the terminal has already sent it to: ignore the echo.
      if (firstAt !== undefined && performance.now() - firstAt > 100) process.exit(1);
      firstAt ??= performance.now();
      resolve(undefined);
    });
  }
  return promise;
}

function print(message: string): void {
  process.stderr.write(`broker: ${message}\n`);
}

process.exitCode = await runCommand(command, process.argv.slice(2), main).catch((thrown: unknown) => {
  print(thrown instanceof Error ? thrown.message : String(thrown));
  return 1;
});
process.exit();
