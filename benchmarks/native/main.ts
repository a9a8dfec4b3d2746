// bun benchmarks/native/main.ts: what a record costs through Confluent's client on Bun, on Node, and on Node with NAN.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startBroker } from "@ingest/broker";
import { divideCores, pinned, pinSelf } from "../kit/cores.ts";
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

const usage = `Produces and consumes records of 200 B with Confluent's client, on Bun and on Node.

  bun benchmarks/native/main.ts [options]

  --rounds N    times that everyone has a turn (5)
  --records N   of each run (1000000)
  --out FILE    the results as JSON too
  --quick       one round of 50000
  --help
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string" },
      records: { type: "string" },
      out: { type: "string" },
      quick: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  const records = Number(values.records ?? (values.quick ? 50_000 : 1_000_000));
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

  console.log(
    `| CPU µs a record: main thread / process (records/s) | ${found.map(({ name }) => name).join(" | ")} |`,
  );
  console.log(`| --- |${" --: |".repeat(found.length)}`);
  for (const mode of Object.keys(modes) as Mode[]) {
    const cells = found.map(({ name }) => toCell(results.get(`${name}\0${mode}`) ?? []));
    console.log(`| ${modes[mode]} | ${cells.join(" | ")} |`);
  }
  for (const reason of missing) console.log(`\nLeft out: ${reason}`);
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

process.exitCode = await main();
