// bun benchmarks/variants/main.ts: this service against itself, with another setting or from another checkout, to see
// what a change gives. Interleaved rounds, exact accounting, as in the comparison.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startBroker } from "@ingest/broker";
import { divideCores, pinSelf } from "../kit/cores.ts";
import { DEFAULT_PAYLOAD_BYTES, type LoadName, loadNames, loads } from "../kit/loads.ts";
import { toRange, toRow } from "../kit/markdown.ts";
import { outputFolder } from "../kit/paths.ts";
import type { ServerSpec } from "../kit/server-process.ts";
import { ServerUnderLoad, type TestBed } from "../kit/server-under-load.ts";
import { summarize, summarizeRatio } from "../kit/summary.ts";
import { thisService } from "../kit/this-service.ts";
import { openAdmin } from "../kit/topic.ts";
import { parseVariant } from "./variant.ts";

const usage = `Measures variants of the service against the first one.

  bun benchmarks/variants/main.ts [options] VARIANT…

  VARIANT         a label, then what differs, with commas between: settings, and a folder with another checkout
                  (dependencies installed) when it isn't this one
                  e.g.  now  linger=KAFKA_LINGER_MS=20  branch=../other  both=../other,KAFKA_LINGER_MS=20
  --load LIST     of ${loadNames.join(", ")} (c64)
  --rounds N      times that every variant has a turn (6)
  --seconds N     length of each load (5)
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      load: { type: "string", default: "c64" },
      rounds: { type: "string", default: "6" },
      seconds: { type: "string", default: "5" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help || positionals.length === 0) {
    process.stdout.write(usage);
    return values.help ? 0 : 2;
  }
  const chosen = values.load.split(",") as LoadName[];
  const unknown = chosen.find((name) => !Object.hasOwn(loads, name));
  if (unknown !== undefined) throw new Error(`--load knows ${loadNames.join(", ")}, not "${unknown}"`);
  const variants = positionals.map((text): ServerSpec => {
    const { label, folder, env } = parseVariant(text);
    const service = thisService(folder);
    return { ...service, title: label, env: { ...service.env, ...env } };
  });

  const cores = divideCores();
  pinSelf(cores.load);
  await using broker = await startBroker({ properties: { "log.segment.delete.delay.ms": "500" } });
  const admin = await openAdmin(broker.bootstrapServers);
  const testBed: TestBed = { cores, broker, admin, logFolder: join(outputFolder, "logs") };
  const micros = new Map<string, Map<number, number>>();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [i, variant] of variants.entries()) {
      await using server = await ServerUnderLoad.start(testBed, variant, `variant-${i}-${round}`, 6);
      await server.measure({ flags: loads.c64.flags, seconds: 3, payloadBytes: DEFAULT_PAYLOAD_BYTES });
      for (const name of chosen) {
        const shape = {
          flags: loads[name].flags,
          seconds: Number(values.seconds),
          payloadBytes: DEFAULT_PAYLOAD_BYTES,
        };
        const load = await server.measure(shape);
        console.error(
          `round ${round + 1} · ${variant.title} · ${name}: ${load.cpuMicrosPerEvent} µs ${load.void.join("; ")}`,
        );
        if (load.void.length > 0) continue;
        const key = `${i} ${name}`;
        micros.set(key, (micros.get(key) ?? new Map()).set(round, load.cpuMicrosPerEvent));
      }
    }
  }
  await admin.close();

  console.log("| variant | load | CPU µs an event | ÷ the first |\n| --- | --- | --: | --: |");
  for (const name of chosen) {
    const first = micros.get(`0 ${name}`) ?? new Map<number, number>();
    for (const [i, { title }] of variants.entries()) {
      const own = micros.get(`${i} ${name}`) ?? new Map<number, number>();
      const cost = summarize([...own.values()]);
      const ratio = summarizeRatio(own, first);
      if (cost === undefined || ratio === undefined) continue;
      console.log(toRow([title, name, toRange(cost, 2), toRange(ratio, 2)]));
    }
  }
  return 0;
}

process.exitCode = await main();
