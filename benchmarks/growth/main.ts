// bun benchmarks/growth/main.ts: how the cost of an event grows with its size, with connections, partitions, user ids
// and the size of batches. Writes the measurements as JSON, and a plot of them.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startBroker } from "@ingest/broker";
import { type Command, type CommandLine, runCommand } from "@ingest/cli-flags";
import { divideCores, pinSelf } from "../kit/cores.ts";
import { describeMachine, type Machine } from "../kit/machine.ts";
import type { LoadMeasurement } from "../kit/measurement.ts";
import { outputFolder } from "../kit/paths.ts";
import { ServerUnderLoad, type TestBed } from "../kit/server-under-load.ts";
import { summarize } from "../kit/summary.ts";
import { thisService } from "../kit/this-service.ts";
import { openAdmin } from "../kit/topic.ts";
import { type DimensionName, dimensionNames, dimensions, type Point } from "./dimensions.ts";
import { type Panel, toSvg } from "./plot.ts";

const flags = {
  only: { kind: "list", of: dimensionNames, help: `of ${dimensionNames.join(", ")} (default: all)` },
  rounds: { kind: "integer", min: 1, help: "measurements of each point (default 3)" },
  seconds: { kind: "integer", min: 1, help: "length of each load (default 5)" },
  out: { kind: "text", value: "DIR", default: outputFolder, help: "for growth.json and growth.svg" },
  plot: { kind: "switch", help: "measure nothing: plot the growth.json in --out again" },
  quick: { kind: "switch", help: "one round of 1 s, only the first and the last point of each dimension" },
} as const;

const command: Command<typeof flags> = {
  name: "bun benchmarks/growth/main.ts",
  about: "Measures how the CPU time of an event grows, one dimension at a time.",
  flags,
};

interface Growth {
  schemaVersion: 2;
  startedAt: string;
  machine: Machine;
  cores: string;
  rounds: number;
  seconds: number;
  samples: { dimension: DimensionName; value: number; round: number; load: LoadMeasurement }[];
}

interface Plan {
  readonly only: readonly DimensionName[];
  readonly rounds: number;
  readonly seconds: number;
  readonly isQuick: boolean;
  readonly logFolder: string;
}

/** @returns the exit code: 1 when a sample is void */
async function main({ values }: CommandLine<typeof flags>): Promise<number> {
  const json = join(values.out, "growth.json");
  if (!values.plot) {
    const measured = await measure({
      only: values.only ?? dimensionNames,
      rounds: values.rounds ?? (values.quick ? 1 : 3),
      seconds: values.seconds ?? (values.quick ? 1 : 5),
      isQuick: values.quick,
      logFolder: join(values.out, "logs"),
    });
    await mkdir(values.out, { recursive: true });
    await writeFile(json, `${JSON.stringify(measured, null, 2)}\n`);
  }
  const growth = (await Bun.file(json).json()) as Growth;
  await writeFile(join(values.out, "growth.svg"), toSvg(toPanels(growth)));
  console.error(`growth.json and growth.svg are in ${values.out}`);
  return growth.samples.some(({ load }) => load.void.length > 0) ? 1 : 0;
}

async function measure(plan: Plan): Promise<Growth> {
  const cores = divideCores();
  pinSelf(cores.load);
  await using broker = await startBroker({ properties: { "log.segment.delete.delay.ms": "500" } });
  const admin = await openAdmin(broker.bootstrapServers);
  const testBed: TestBed = { cores, broker, admin, logFolder: plan.logFolder };
  const growth: Growth = {
    schemaVersion: 2,
    startedAt: new Date().toISOString(),
    machine: describeMachine(),
    cores: cores.description,
    rounds: plan.rounds,
    seconds: plan.seconds,
    samples: [],
  };
  for (let round = 0; round < plan.rounds; round++) {
    for (const { name, points } of dimensions) {
      if (!plan.only.includes(name)) continue;
      const chosen = plan.isQuick ? [points[0]!, points.at(-1)!] : points;
      for (const point of chosen) {
        const topic = `growth-${name}-${point.value}-${round}`;
        const load = await measurePoint(testBed, topic, point, plan.seconds);
        console.error(
          `round ${round + 1} · ${name} ${point.value}: ${load.cpuMicrosPerEvent} µs CPU an event ${load.void.join("; ")}`,
        );
        growth.samples.push({ dimension: name, value: point.value, round, load });
      }
    }
  }
  await admin.close();
  return growth;
}

/** Each point has its own server and topic, so that no point inherits a warm server or a full topic. */
async function measurePoint(
  testBed: TestBed,
  topic: string,
  { flags, payloadBytes, partitions }: Point,
  seconds: number,
): Promise<LoadMeasurement> {
  await using server = await ServerUnderLoad.start(testBed, thisService(), topic, partitions);
  await server.measure({ flags, payloadBytes, seconds: Math.ceil(seconds / 2) });
  return await server.measure({ flags, payloadBytes, seconds });
}

function toPanels({ samples }: Growth): Panel[] {
  return dimensions.flatMap(({ name, title, points }) => {
    const marks = points.flatMap(({ value }) => {
      const valid = samples.filter(
        (s) => s.dimension === name && s.value === value && s.load.void.length === 0,
      );
      const summary = summarize(valid.map(({ load }) => load.cpuMicrosPerEvent));
      // The axis shows the actual size: the smallest events are larger than requested.
      const x = name === "bytes" ? valid[0]?.load.eventBytes : value;
      return summary === undefined || x === undefined ? [] : [{ x, ...summary }];
    });
    return marks.length === 0 ? [] : [{ title, marks }];
  });
}

process.exitCode = await runCommand(command, process.argv.slice(2), main);
