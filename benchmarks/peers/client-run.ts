// This project's load generator and autocannon, one after the other: same core, same server, same event.
import { join } from "node:path";
import { freePort } from "@ingest/broker";
import { createEventSource } from "../../bench/src/load/events.ts";
import { type Cores, pinned } from "../kit/cores.ts";
import { runLoadGenerator } from "../kit/load-generator.ts";
import { loads } from "../kit/loads.ts";
import { findNode } from "../kit/nan-addon.ts";
import { cleanEnv } from "../kit/server-process.ts";
import { InstallError, install, type Recipe } from "./install.ts";
import type { Options } from "./options.ts";
import type { ClientSample } from "./report-schema.ts";

const recipe: Recipe = {
  folder: "autocannon",
  build: (_, run) =>
    run(
      ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
      "npm installs autocannon",
    ),
};

export interface ClientContext {
  readonly options: Options;
  readonly cores: Cores;
  readonly log: (message: string) => void;
}

/** @throws InstallError when Node or autocannon cannot be installed here */
export async function installAutocannon({ log }: ClientContext): Promise<string> {
  if (findNode() === undefined) throw new InstallError("Node is not on PATH: autocannon runs on it");
  return await install(recipe, log);
}

/** Runs both load generators once. */
export async function compareClients(
  context: ClientContext,
  autocannonDir: string,
  round: number,
): Promise<ClientSample[]> {
  const { options, cores, log } = context;
  const port = await freePort();
  const command = [process.execPath, join(import.meta.dir, "echo-server.ts"), "--port", String(port)];
  const server = Bun.spawn(pinned(cores.server, command), {
    env: cleanEnv(),
    stdout: "pipe",
    stdin: "ignore",
  });
  try {
    for await (const _ of server.stdout) break; // it prints a line when it listens
    const url = new URL(`http://127.0.0.1:${port}`);
    const samples = [
      await runBench(context, url, round),
      await runAutocannon(context, autocannonDir, url, round),
    ];
    for (const { client, requestsPerSecond, cpuMicrosPerRequest } of samples) {
      log(
        `round ${round + 1} · ${client}: ${Math.round(requestsPerSecond)} requests/s, ${cpuMicrosPerRequest.toFixed(2)} µs CPU each`,
      );
    }
    return samples;
  } finally {
    server.kill();
    await server.exited;
  }

  async function runBench({ options: o }: ClientContext, url: URL, n: number): Promise<ClientSample> {
    const { report, cpuMicros } = await runLoadGenerator({
      url,
      flags: loads.c64.flags,
      amount: { seconds: o.seconds },
      payloadBytes: o.payloadBytes,
      cores: cores.load,
      folder: options.out,
    });
    return toSample(n, "bench", report.requests.completed, report.elapsedSeconds, cpuMicros);
  }
}

async function runAutocannon(
  { options, cores }: ClientContext,
  dir: string,
  url: URL,
  round: number,
): Promise<ClientSample> {
  const source = createEventSource({
    runId: "bench-0000000000",
    users: 1000,
    payloadBytes: options.payloadBytes,
    seed: 1,
  });
  const command = [
    findNode()!.command,
    join(dir, "node_modules/autocannon/autocannon.js"),
    "--json",
    "--no-progress",
  ];
  command.push("--connections", "64", "--duration", String(options.seconds), "--method", "POST");
  command.push("--headers", "content-type=application/json", "--body", source.event(100_000));
  command.push(new URL("/register_event", url).href);
  const child = Bun.spawn(pinned(cores.load, command), {
    env: cleanEnv(),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`autocannon failed:\n${err}`);
  const result = JSON.parse(out) as { "2xx": number; duration: number };
  const cpuMicros = Number(child.resourceUsage()?.cpuTime.total ?? 0);
  return toSample(round, "autocannon", result["2xx"], result.duration, cpuMicros);
}

function toSample(
  round: number,
  client: ClientSample["client"],
  responses: number,
  seconds: number,
  cpuMicros: number,
): ClientSample {
  return {
    round,
    client,
    requestsPerSecond: responses / seconds,
    cpuMicrosPerRequest: cpuMicros / Math.max(1, responses),
    cpuShare: cpuMicros / 1e6 / seconds,
  };
}
