// bun benchmarks/growth/main.ts: how the cost of an event grows with its size, with connections, partitions, user
// ids and the size of batches. Writes JSON, and a plot of it.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startBroker } from "@ingest/broker";
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

const usage = `Measures how the CPU time of an event grows, one thing at a time.

  bun benchmarks/growth/main.ts [options]

  --only LIST     of ${dimensionNames.join(", ")} (all)
  --rounds N      times that every point is measured (3)
  --seconds N     length of each load (5)
  --out DIR       for growth.json and growth.svg (out/peers)
  --plot          only draw growth.json in --out again
  --quick         one round of 1 s, first and last point of each
  --help
`;

export interface Growth {
  schemaVersion: 1;
  startedAt: string;
  machine: Machine;
  cores: string;
  rounds: number;
  seconds: number;
  measured: { dimension: DimensionName; value: number; round: number; load: LoadMeasurement }[];
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      out: { type: "string", default: outputFolder },
      plot: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const json = join(values.out, "growth.json");
  if (!values.plot) {
    const growth = await measure({
      only: values.only?.split(",") ?? dimensionNames,
      rounds: Number(values.rounds ?? (values.quick ? 1 : 3)),
      seconds: Number(values.seconds ?? (values.quick ? 1 : 5)),
      isQuick: values.quick,
      logFolder: join(values.out, "logs"),
    });
    await mkdir(values.out, { recursive: true });
    await writeFile(json, `${JSON.stringify(growth, null, 2)}\n`);
  }
  const growth = (await Bun.file(json).json()) as Growth;
  await writeFile(join(values.out, "growth.svg"), toSvg(toPanels(growth)));
  console.error(`${json} and growth.svg beside it`);
  return growth.measured.some(({ load }) => load.void.length > 0) ? 1 : 0;
}

interface Plan {
  readonly only: readonly string[];
  readonly rounds: number;
  readonly seconds: number;
  readonly isQuick: boolean;
  readonly logFolder: string;
}

async function measure(plan: Plan): Promise<Growth> {
  const cores = divideCores();
  pinSelf(cores.load);
  await using broker = await startBroker({ properties: { "log.segment.delete.delay.ms": "500" } });
  const admin = await openAdmin(broker.bootstrapServers);
  const testBed: TestBed = { cores, broker, admin, logFolder: plan.logFolder };
  const growth: Growth = {
    schemaVersion: 1,
    startedAt: new Date().toISOString(),
    machine: describeMachine(),
    cores: cores.description,
    rounds: plan.rounds,
    seconds: plan.seconds,
    measured: [],
  };
  for (let round = 0; round < plan.rounds; round++) {
    for (const { name, points } of dimensions) {
      if (!plan.only.includes(name)) continue;
      const chosen = plan.isQuick ? [points[0]!, points.at(-1)!] : points;
      for (const point of chosen) {
        const load = await measurePoint(testBed, `growth-${name}-${point.value}-${round}`, point, plan);
        console.error(
          `round ${round + 1} · ${name} ${point.value}: ${load.cpuMicrosPerEvent} µs CPU an event ${load.void.join("; ")}`,
        );
        growth.measured.push({ dimension: name, value: point.value, round, load });
      }
    }
  }
  await admin.close();
  return growth;
}

/** Every point has a server and a topic of its own, so that none is warmed or filled up by the one before. */
async function measurePoint(
  testBed: TestBed,
  topic: string,
  point: Point,
  { seconds }: Plan,
): Promise<LoadMeasurement> {
  await using server = await ServerUnderLoad.start(testBed, thisService(), topic, point.partitions);
  const shape = { flags: point.flags, payloadBytes: point.payloadBytes };
  await server.measure({ ...shape, seconds: Math.ceil(seconds / 2) });
  return await server.measure({ ...shape, seconds });
}

function toPanels({ measured }: Growth): Panel[] {
  return dimensions.flatMap(({ name, title, points }) => {
    const marks = points.flatMap(({ value }) => {
      const valid = measured.filter(
        (m) => m.dimension === name && m.value === value && m.load.void.length === 0,
      );
      const summary = summarize(valid.map(({ load }) => load.cpuMicrosPerEvent));
      // The axis shows what was sent, which for the smallest events is more than was asked for.
      const x = name === "bytes" ? valid[0]?.load.eventBytes : value;
      return summary === undefined || x === undefined ? [] : [{ x, ...summary }];
    });
    return marks.length === 0 ? [] : [{ title, marks }];
  });
}

process.exitCode = await main();
