// bun bench/peers/src/variants.ts: this service against itself, with another setting or from another checkout, to see
// what a change gives. Interleaved rounds, exact accounting, as in the comparison.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { startBroker } from "@ingest/broker";
import { divideCores, pinSelf } from "./cores.ts";
import { type Bench, CountedServer } from "./counted-server.ts";
import { type LoadName, loads } from "./loads.ts";
import { prepareSubject, root, type Subject } from "./subjects.ts";
import { summarise, summariseRatio } from "./summary.ts";
import { openAdmin } from "./topic.ts";

const usage = `Measures variants of the service against the first one.

  bun bench/peers/src/variants.ts [options] VARIANT…

  VARIANT         a label, then what differs, with commas between: settings, and a folder with another checkout
                  (dependencies installed) when it isn't this one
                  e.g.  now  linger=KAFKA_LINGER_MS=20  branch=../other  both=../other,KAFKA_LINGER_MS=20
  --load LIST     of ${Object.keys(loads).join(", ")} (c64)
  --rounds N      times that every variant has a turn (6)
  --seconds N     length of each load (5)
`;

/** Reads `label=folder,NAME=value,…`; all after the label is optional. */
export function parseVariant(text: string): { label: string; folder: string; env: Record<string, string> } {
  const at = text.indexOf("=");
  const label = at < 0 ? text : text.slice(0, at);
  const parts = at < 0 ? [] : text.slice(at + 1).split(",");
  const settings = parts.filter((part) => /^[A-Za-z_][A-Za-z0-9_]*=/.test(part));
  const folders = parts.filter((part) => !settings.includes(part));
  if (label === "" || folders.length > 1) throw new Error(`"${text}" is not a variant: see --help`);
  const toPair = (setting: string) => [
    setting.slice(0, setting.indexOf("=")),
    setting.slice(setting.indexOf("=") + 1),
  ];
  return { label, folder: folders[0] ?? root, env: Object.fromEntries(settings.map(toPair)) };
}

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
  if (unknown !== undefined)
    throw new Error(`--load knows ${Object.keys(loads).join(", ")}, not "${unknown}"`);
  const service = await prepareSubject("ingest", { preload: undefined, say: console.error });
  const subjects = positionals.map((text): Subject => {
    const { label, folder, env } = parseVariant(text);
    const cwd = resolve(folder);
    const command = service.command.map((part) => part.replace(root, cwd));
    return { ...service, title: label, cwd, command, env: { ...service.env, ...env } };
  });

  const cores = divideCores();
  pinSelf(cores.load);
  await using broker = await startBroker({ properties: { "log.segment.delete.delay.ms": "500" } });
  const admin = await openAdmin(broker.bootstrapServers);
  const bench: Bench = { cores, broker, admin, folder: resolve(root, "out/peers/logs") };
  const micros = new Map<string, Map<number, number>>();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [i, subject] of subjects.entries()) {
      await using server = await CountedServer.start(bench, subject, `variant-${i}-${round}`, 6);
      await server.load({ flags: loads.c64.flags, seconds: 3, payloadBytes: 195 });
      for (const name of chosen) {
        const shape = { flags: loads[name].flags, seconds: Number(values.seconds), payloadBytes: 195 };
        const load = await server.load(shape);
        console.error(
          `round ${round + 1} · ${subject.title} · ${name}: ${load.cpuMicrosPerEvent} µs ${load.void.join("; ")}`,
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
    for (const [i, { title }] of subjects.entries()) {
      const own = micros.get(`${i} ${name}`) ?? new Map<number, number>();
      const cost = summarise([...own.values()]);
      const ratio = summariseRatio(own, first);
      if (cost === undefined || ratio === undefined) continue;
      const range = (s: { median: number; min: number; max: number }) =>
        `${s.median.toFixed(2)} (${s.min.toFixed(2)}–${s.max.toFixed(2)})`;
      console.log(`| ${title} | ${name} | ${range(cost)} | ${range(ratio)} |`);
    }
  }
  return 0;
}

if (import.meta.main) process.exitCode = await main();
