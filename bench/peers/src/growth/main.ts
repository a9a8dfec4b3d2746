// bun bench/peers/src/growth/main.ts: how the cost of an event grows with its size, with connections, partitions, user
// ids and the size of batches. Writes JSON, and a plot of it.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startBroker } from "@ingest/broker";
import { divideCores, pinSelf } from "../cores.ts";
import { type Bench, CountedServer } from "../counted-server.ts";
import { describeMachine, type Machine } from "../machine.ts";
import type { CountedLoad } from "../report-schema.ts";
import { findMimalloc, prepareSubject, root, type Subject, subjectNames } from "../subjects.ts";
import { summarise } from "../summary.ts";
import { openAdmin } from "../topic.ts";
import { type DimensionName, dimensionNames, dimensions, type Point } from "./dimensions.ts";
import { type Panel, toSvg } from "./plot.ts";

const usage = `Measures how the CPU time of an event grows, one thing at a time.

  bun bench/peers/src/growth/main.ts [options]

  --only LIST     of ${dimensionNames.join(", ")} (all)
  --subject NAME  of ${subjectNames.join(", ")} (ingest)
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
  subject: string;
  cores: string;
  rounds: number;
  seconds: number;
  measured: { dimension: DimensionName; value: number; round: number; load: CountedLoad }[];
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: "string" },
      subject: { type: "string", default: "ingest" },
      rounds: { type: "string" },
      seconds: { type: "string" },
      out: { type: "string", default: join(root, "out/peers") },
      plot: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const name = subjectNames.find((known) => known === values.subject);
  if (name === undefined) throw new Error(`--subject knows ${subjectNames.join(", ")}`);
  const json = join(values.out, "growth.json");
  if (!values.plot) {
    const say = (message: string) => console.error(message);
    const subject = await prepareSubject(name, { preload: findMimalloc(), say });
    const growth = await measure(subject, {
      only: values.only?.split(",") ?? dimensionNames,
      rounds: Number(values.rounds ?? (values.quick ? 1 : 3)),
      seconds: Number(values.seconds ?? (values.quick ? 1 : 5)),
      isQuick: values.quick,
      folder: join(values.out, "logs"),
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
  readonly folder: string;
}

async function measure(subject: Subject, plan: Plan): Promise<Growth> {
  const cores = divideCores();
  pinSelf(cores.load);
  await using broker = await startBroker({ properties: { "log.segment.delete.delay.ms": "500" } });
  const admin = await openAdmin(broker.bootstrapServers);
  const bench: Bench = { cores, broker, admin, folder: plan.folder };
  const growth: Growth = {
    schemaVersion: 1,
    startedAt: new Date().toISOString(),
    machine: describeMachine(),
    subject: subject.title,
    cores: cores.words,
    rounds: plan.rounds,
    seconds: plan.seconds,
    measured: [],
  };
  for (let round = 0; round < plan.rounds; round++) {
    for (const { name, points } of dimensions) {
      if (!plan.only.includes(name)) continue;
      const chosen = plan.isQuick ? [points[0]!, points.at(-1)!] : points;
      for (const point of chosen) {
        const load = await measurePoint(
          bench,
          subject,
          `growth-${name}-${point.value}-${round}`,
          point,
          plan,
        );
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
  bench: Bench,
  subject: Subject,
  topic: string,
  point: Point,
  { seconds }: Plan,
): Promise<CountedLoad> {
  await using server = await CountedServer.start(bench, subject, topic, point.partitions);
  const shape = { flags: point.flags, payloadBytes: point.payloadBytes };
  await server.load({ ...shape, seconds: Math.ceil(seconds / 2) });
  return await server.load({ ...shape, seconds });
}

function toPanels({ measured }: Growth): Panel[] {
  return dimensions.flatMap(({ name, title, points }) => {
    const marks = points.flatMap(({ value }) => {
      const counted = measured.filter(
        (m) => m.dimension === name && m.value === value && m.load.void.length === 0,
      );
      const summary = summarise(counted.map(({ load }) => load.cpuMicrosPerEvent));
      // The axis shows what was sent, which for the smallest events is more than was asked for.
      const x = name === "bytes" ? counted[0]?.load.eventBytes : value;
      return summary === undefined || x === undefined ? [] : [{ x, ...summary }];
    });
    return marks.length === 0 ? [] : [{ title, marks }];
  });
}

process.exitCode = await main();
