// bun benchmarks/guard/main.ts: does an event cost more than it did? Prints what depends least on the machine: the CPU
// time of an event relative to a bare Bun.serve in the same run, and, where perf can count them, instructions per event.
// It judges nothing: the exit code is 0 unless it could not measure.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startBroker } from "@ingest/broker";
import { type Command, type CommandLine, runCommand } from "@ingest/cli-flags";
import { divideCores, pinSelf } from "../kit/cores.ts";
import { runLoadGenerator } from "../kit/load-generator.ts";
import { DEFAULT_PAYLOAD_BYTES, loads } from "../kit/loads.ts";
import { toRange } from "../kit/markdown.ts";
import { cpuMicros } from "../kit/process-tree.ts";
import { ServerProcess, type ServerSpec } from "../kit/server-process.ts";
import { summarize, summarizeRatio } from "../kit/summary.ts";
import { thisService } from "../kit/this-service.ts";
import { MeasuredTopic, openAdmin } from "../kit/topic.ts";
import { canCount, countDuring } from "./instructions.ts";

const flags = {
  rounds: { kind: "integer", min: 1, default: "3", help: "rounds, each of which measures both servers once" },
  seconds: { kind: "integer", min: 1, default: "3", help: "length of each load" },
} as const;

const command: Command<typeof flags> = {
  name: "bun benchmarks/guard/main.ts",
  about: "Measures what an event costs, beside a bare Bun.serve that reads the body and responds.",
  flags,
};

const EVENT = "instructions";

/** Per event, by round. */
interface Cost {
  readonly micros: Map<number, number>;
  readonly instructions: Map<number, number>;
}

async function main({ values: { rounds, seconds } }: CommandLine<typeof flags>): Promise<number> {
  const service = thisService();
  const bare: ServerSpec = {
    ...service,
    title: "bare Bun.serve",
    command: [process.execPath, join(import.meta.dir, "bare-server.ts")],
  };
  const folder = await mkdtemp(join(tmpdir(), "guard-"));
  const cores = divideCores();
  pinSelf(cores.load);
  const canCountInstructions = canCount(EVENT);

  async function measure({ url, pid }: ServerProcess) {
    let accepted = 0;
    const before = cpuMicros(pid);
    const load = async () => {
      const { report } = await runLoadGenerator({
        url,
        flags: loads.c64.flags,
        amount: { seconds },
        payloadBytes: DEFAULT_PAYLOAD_BYTES,
        cores: cores.load,
        folder,
      });
      accepted = report.events.accepted;
    };
    const instructions = canCountInstructions ? await countDuring(EVENT, pid, load) : await load();
    if (accepted === 0) throw new Error(`${url.href} accepted nothing`);
    return {
      micros: (cpuMicros(pid) - before) / accepted,
      instructions: instructions === undefined ? undefined : instructions / accepted,
    };
  }

  try {
    await using broker = await startBroker();
    const admin = await openAdmin(broker.bootstrapServers);
    const topic = await MeasuredTopic.create(admin, broker.bootstrapServers, "guard", 6);
    const env = { JOURNAL_DIR: join(folder, "journal") };
    await mkdir(env.JOURNAL_DIR);
    const start = async (spec: ServerSpec, name: string) =>
      ServerProcess.start({
        spec,
        env,
        cores: cores.server,
        topic: topic.name,
        bootstrapServers: broker.bootstrapServers,
        port: await freePort(),
        logFile: join(folder, `${name}.log`),
      });
    await using serviceServer = await start(service, "service");
    await using bareServer = await start(bare, "bare");
    const costs = { service: emptyCost(), bare: emptyCost() };

    const WARM_UP = -1;
    for (let round = WARM_UP; round < rounds; round++) {
      for (const [cost, server] of [
        [costs.bare, bareServer],
        [costs.service, serviceServer],
      ] as const) {
        const { micros, instructions } = await measure(server);
        if (round === WARM_UP) continue;
        cost.micros.set(round, micros);
        if (instructions !== undefined) cost.instructions.set(round, instructions);
      }
    }
    await admin.close();
    print(costs);
    return 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function emptyCost(): Cost {
  return { micros: new Map(), instructions: new Map() };
}

function print({ service, bare }: { service: Cost; bare: Cost }): void {
  const text = (values: ReadonlyMap<number, number>, digits: number) =>
    toRange(summarize([...values.values()]), digits) || "not available on this machine";
  const ratio = summarizeRatio(service.micros, bare.micros);
  console.log(`CPU µs an event, this service:     ${text(service.micros, 2)}`);
  console.log(`CPU µs an event, bare Bun.serve:   ${text(bare.micros, 2)}`);
  console.log(`ratio:                             ${toRange(ratio, 2)}`);
  console.log(`instructions an event, service:    ${text(service.instructions, 0)}`);
  console.log(`instructions an event, bare:       ${text(bare.instructions, 0)}`);
}

process.exitCode = await runCommand(command, process.argv.slice(2), main);
