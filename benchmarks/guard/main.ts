// bun benchmarks/guard/main.ts: is an event dearer than it was? Prints what no slow machine can blur much: the
// service's CPU time against that of a bare Bun.serve in the same run, and instructions an event where they can be had.
// It judges nothing: its exit code is 0 unless it could not measure.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { freePort, startBroker } from "@ingest/broker";
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

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "3" }, seconds: { type: "string", default: "3" } },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const EVENT = "instructions";

interface Cost {
  readonly micros: Map<number, number>;
  readonly instructions: Map<number, number>;
}

const service = thisService();
const bare: ServerSpec = {
  ...service,
  title: "bare Bun.serve",
  command: [process.execPath, join(import.meta.dir, "bare-server.ts")],
};

const folder = await mkdtemp(join(tmpdir(), "guard-"));
const cores = divideCores();
pinSelf(cores.load);
const counts = canCount(EVENT);
try {
  await using broker = await startBroker();
  const admin = await openAdmin(broker.bootstrapServers);
  const topic = await MeasuredTopic.create(admin, broker.bootstrapServers, "guard", 6);
  const shared = { cores: cores.server, topic: topic.name, bootstrapServers: broker.bootstrapServers };
  const env = { JOURNAL_DIR: join(folder, "journal") };
  await mkdir(env.JOURNAL_DIR);
  const start = async (spec: ServerSpec, name: string) =>
    ServerProcess.start({
      ...shared,
      spec,
      env,
      port: await freePort(),
      logFile: join(folder, `${name}.log`),
    });
  await using serviceServer = await start(service, "service");
  await using bareServer = await start(bare, "bare");
  const costs = { service: emptyCost(), bare: emptyCost() };

  for (let round = -1; round < rounds; round++) {
    for (const [name, server] of [
      ["bare", bareServer],
      ["service", serviceServer],
    ] as const) {
      const { micros, instructions } = await measure(server);
      if (round < 0) continue; // warming up
      costs[name].micros.set(round, micros);
      if (instructions !== undefined) costs[name].instructions.set(round, instructions);
    }
  }
  await admin.close();
  print(costs);
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function measure(server: ServerProcess): Promise<{ micros: number; instructions: number | undefined }> {
  let accepted = 0;
  const before = cpuMicros(server.pid);
  const work = async () => {
    const { report } = await runLoadGenerator({
      url: server.url,
      flags: loads.c64.flags,
      amount: { seconds },
      payloadBytes: DEFAULT_PAYLOAD_BYTES,
      cores: cores.load,
      folder,
    });
    accepted = report.events.accepted;
  };
  const instructions = counts ? await countDuring(EVENT, server.pid, work) : await work();
  const micros = cpuMicros(server.pid) - before;
  return {
    micros: micros / accepted,
    instructions: instructions === undefined ? undefined : instructions / accepted,
  };
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
