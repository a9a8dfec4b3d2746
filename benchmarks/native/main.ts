// bun benchmarks/native/main.ts: the CPU time of a record in Confluent's client on Bun, on Node, and on Node with NAN.
import { join } from "node:path";
import { startBroker } from "@ingest/broker";
import { type Command, type CommandLine, runCommand } from "@ingest/cli-flags";
import { divideCores, pinned, pinSelf } from "../kit/cores.ts";
import { toRow } from "../kit/markdown.ts";
import { cleanEnv } from "../kit/server-process.ts";
import { summarize } from "../kit/summary.ts";
import { openAdmin } from "../kit/topic.ts";
import { findRuntimes, type Runtime } from "./runtimes.ts";

const modes = {
  "produce-silent": "produce, no reports",
  "produce-reported": "produce, report each (dr_cb)",
  "produce-keyed": "produce, key and opaque, report with message (dr_msg_cb)",
  consume: "consume(1000)",
} as const;
type Mode = keyof typeof modes;

interface Result {
  recordsPerSecond: number;
  mainMicrosPerRecord: number;
  cpuMicrosPerRecord: number;
}

const flags = {
  rounds: { kind: "integer", min: 1, help: "rounds, each of which measures every runtime once (default 5)" },
  records: { kind: "integer", min: 1, help: "records of each run (default 1000000)" },
  out: { kind: "text", value: "FILE", help: "also write the results as JSON" },
  quick: { kind: "switch", help: "one round of 50000 records" },
} as const;

const command: Command<typeof flags> = {
  name: "bun benchmarks/native/main.ts",
  about: "Produces and consumes records of 200 B with Confluent's client, on Bun and on Node.",
  flags,
};

async function main({ values }: CommandLine<typeof flags>): Promise<number> {
  const rounds = values.rounds ?? (values.quick ? 1 : 5);
  const records = values.records ?? (values.quick ? 50_000 : 1_000_000);
  const { found, missing } = await findRuntimes();
  const cores = divideCores();
  pinSelf(cores.load);
  await using broker = await startBroker({ properties: { "log.segment.delete.delay.ms": "500" } });
  const admin = await openAdmin(broker.bootstrapServers);

  const results = new Map<string, Result[]>();
  for (let round = 0; round < rounds; round++) {
    for (const runtime of found) {
      const topic = `native-${round}-${found.indexOf(runtime)}`;
      await admin.ensureTopic({ topic, partitions: 6, replicationFactor: 1 });
      for (const mode of Object.keys(modes) as Mode[]) {
        const result = await runOnce(runtime, mode, topic, records, broker.bootstrapServers, cores.server);
        console.error(
          `round ${round + 1} · ${runtime.name} · ${modes[mode]}: ${result.cpuMicrosPerRecord.toFixed(2)} µs`,
        );
        const key = `${runtime.name}\0${mode}`;
        results.set(key, [...(results.get(key) ?? []), result]);
      }
      await admin.deleteTopic(topic);
    }
  }
  await admin.close();

  const heading = "CPU µs a record: main thread / process (records/s)";
  console.log(toRow([heading, ...found.map(({ name }) => name)]));
  console.log(`| --- |${" --: |".repeat(found.length)}`);
  for (const mode of Object.keys(modes) as Mode[]) {
    const cells = found.map(({ name }) => toCell(results.get(`${name}\0${mode}`) ?? []));
    console.log(toRow([modes[mode], ...cells]));
  }
  for (const reason of missing) console.log(`\nNot measured: ${reason}`);
  if (values.out !== undefined) {
    const rows = [...results].map(([key, samples]) => {
      const [runtime, mode] = key.split("\0");
      return { runtime, mode, samples };
    });
    await Bun.write(values.out, `${JSON.stringify({ rounds, records, missing, rows }, null, 2)}\n`);
  }
  return 0;
}

async function runOnce(
  runtime: Runtime,
  mode: Mode,
  topic: string,
  records: number,
  bootstrapServers: string,
  cores: string | undefined,
): Promise<Result> {
  const child = Bun.spawn(pinned(cores, [runtime.command, join(import.meta.dir, "client-load.cjs")]), {
    env: {
      ...cleanEnv(),
      CLIENT: runtime.client,
      MODE: mode,
      TOPIC: topic,
      BOOTSTRAP_SERVERS: bootstrapServers,
      COUNT: String(records),
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`${runtime.name}, ${mode}: ${err || out}`);
  return JSON.parse(out) as Result;
}

function toCell(results: readonly Result[]): string {
  const median = (field: keyof Result) =>
    summarize(results.map((result) => result[field]))?.median ?? Number.NaN;
  const micros = `${median("mainMicrosPerRecord").toFixed(2)} / ${median("cpuMicrosPerRecord").toFixed(2)}`;
  return `${micros} (${Math.round(median("recordsPerSecond")).toLocaleString("en-US")})`;
}

process.exitCode = await runCommand(command, process.argv.slice(2), main);
