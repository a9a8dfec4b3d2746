// bun benchmarks/variants/main.ts: this service against itself, with other settings or from another checkout. All
// variants are measured in each round, so that a slow minute of the machine affects all of them.
import { join } from "node:path";
import { startBroker } from "@ingest/broker";
import { type Command, type CommandLine, runCommand } from "@ingest/cli-flags";
import { divideCores, pinSelf } from "../kit/cores.ts";
import { DEFAULT_PAYLOAD_BYTES, type LoadName, loadNames, loads } from "../kit/loads.ts";
import { toRange, toRow } from "../kit/markdown.ts";
import { outputFolder } from "../kit/paths.ts";
import { ServerUnderLoad, type TestBed } from "../kit/server-under-load.ts";
import { summarize, summarizeRatio } from "../kit/summary.ts";
import { openAdmin } from "../kit/topic.ts";
import { parseVariant } from "./variant.ts";

const WARM_UP_SECONDS = 3;

const flags = {
  load: { kind: "list", of: loadNames, default: "c64", help: `of ${loadNames.join(", ")}` },
  rounds: {
    kind: "integer",
    min: 1,
    default: "6",
    help: "rounds, each of which measures every variant once",
  },
  seconds: { kind: "integer", min: 1, default: "5", help: "length of each load" },
} as const;

const command: Command<typeof flags> = {
  name: "bun benchmarks/variants/main.ts",
  about: "Measures the CPU time of an event in variants of this service, and its ratio to the first variant.",
  flags,
  operands: {
    name: "VARIANT",
    min: 1,
    help: `LABEL or LABEL=DIFFERENCE,…
a difference is a setting (KAFKA_LINGER_MS=20) or the folder of another checkout
with its dependencies installed`,
  },
  notes: `For example: now  linger=KAFKA_LINGER_MS=20  before=../before  both=../before,KAFKA_LINGER_MS=20`,
};

async function main({ values, operands }: CommandLine<typeof flags>): Promise<number> {
  const variants = operands.map(parseVariant);
  const cores = divideCores();
  pinSelf(cores.load);
  await using broker = await startBroker({ properties: { "log.segment.delete.delay.ms": "500" } });
  const admin = await openAdmin(broker.bootstrapServers);
  const testBed: TestBed = { cores, broker, admin, logFolder: join(outputFolder, "logs") };

  /** CPU µs an event by round, for each variant and load. */
  const micros = variants.map(() => new Map(values.load.map((load) => [load, new Map<number, number>()])));
  for (let round = 0; round < values.rounds; round++) {
    for (const [i, variant] of variants.entries()) {
      await using server = await ServerUnderLoad.start(testBed, variant, `variant-${i}-${round}`, 6);
      const measure = (load: LoadName, seconds: number) =>
        server.measure({ flags: loads[load].flags, seconds, payloadBytes: DEFAULT_PAYLOAD_BYTES });
      await measure("c64", WARM_UP_SECONDS);
      for (const load of values.load) {
        const sample = await measure(load, values.seconds);
        console.error(
          `round ${round + 1} · ${variant.title} · ${load}: ${sample.cpuMicrosPerEvent} µs ${sample.void.join("; ")}`,
        );
        if (sample.void.length === 0) micros[i]!.get(load)!.set(round, sample.cpuMicrosPerEvent);
      }
    }
  }
  await admin.close();

  console.log(toRow(["variant", "load", "CPU µs an event", "÷ the first"]));
  console.log("| --- | --- | --: | --: |");
  for (const load of values.load) {
    for (const [i, { title }] of variants.entries()) {
      const own = micros[i]!.get(load)!;
      const ratio = summarizeRatio(own, micros[0]!.get(load)!);
      console.log(toRow([title, load, toRange(summarize([...own.values()]), 2), toRange(ratio, 2)]));
    }
  }
  return micros.some((byLoad) => [...byLoad.values()].some(({ size }) => size === 0)) ? 1 : 0;
}

process.exitCode = await runCommand(command, process.argv.slice(2), main);
