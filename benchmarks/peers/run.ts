// The comparison: all servers are installed, then every round measures each of them on one broker.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startBroker } from "@ingest/broker";
import { divideCores, pinSelf } from "../kit/cores.ts";
import { loads } from "../kit/loads.ts";
import { describeMachine } from "../kit/machine.ts";
import { ServerUnderLoad } from "../kit/server-under-load.ts";
import { thisService } from "../kit/this-service.ts";
import { openAdmin } from "../kit/topic.ts";
import { compareClients, installAutocannon } from "./client-run.ts";
import { consume, fillTopic } from "./consumer-run.ts";
import type { Measurements } from "./measurements.ts";
import type { Options } from "./options.ts";
import { toReport } from "./report.ts";
import type { Report } from "./report-schema.ts";
import { measureServer, type RunContext } from "./server-run.ts";
import { type ComparedServer, findMimalloc, installServer, serverNames } from "./servers.ts";

const BROKER_WARM_UP_SECONDS = 30;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Runs the comparison. What cannot be installed or fails is listed in the report's `missing`. */
export async function compare(options: Options, log: (message: string) => void): Promise<Report> {
  await mkdir(options.out, { recursive: true });
  const cores = divideCores();
  const preload = options.preload === "" ? undefined : (options.preload ?? findMimalloc());
  const measurements: Mutable<Measurements> = {
    startedAt: new Date().toISOString(),
    isQuick: options.isQuick,
    machine: describeMachine(),
    setup: {
      rounds: options.rounds,
      seconds: options.seconds,
      warmUpSeconds: options.warmUpSeconds,
      partitions: options.partitions,
      cores: cores.description,
      preload: preload ?? null,
    },
    servers: [],
    missing: [],
    samples: [],
    consumer: [],
    client: [],
  };
  /** The result of `work`, or undefined and an entry in `missing`. */
  const attempt = async <T>(
    name: string,
    round: number | null,
    work: () => Promise<T>,
  ): Promise<T | undefined> => {
    try {
      return await work();
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      log(`${name} was not measured: ${reason}`);
      measurements.missing.push({ name, round, reason });
      return undefined;
    }
  };

  // Builds may use every core: pinning begins with the broker.
  const servers: ComparedServer[] = [];
  for (const name of serverNames.filter((known) => options.only.includes(known))) {
    const server = await attempt(name, null, () => installServer(name, { preload, log }));
    if (server !== undefined) servers.push(server);
  }
  measurements.servers = servers.map(({ name, title, notes }) => ({ name, title, notes }));
  const clientContext = { options, cores, log };
  const autocannon = options.only.includes("client")
    ? await attempt("client", null, () => installAutocannon(clientContext))
    : undefined;

  pinSelf(cores.load);
  await using broker = await startBroker({
    onProgress: log,
    // Frees the disk space of deleted topics at once: a run writes gigabytes.
    properties: { "log.segment.delete.delay.ms": "500" },
  });
  const admin = await openAdmin(broker.bootstrapServers);
  const context: RunContext = { options, cores, broker, admin, log, logFolder: join(options.out, "logs") };
  if (!options.isQuick) await attempt("warm-up of the broker", null, () => warmUpBroker(context));
  const full = options.only.includes("consumer")
    ? await attempt("consumer", null, () => fillTopic(context))
    : undefined;
  try {
    for (let round = 0; round < options.rounds; round++) {
      // Each round begins with another server, so that none always follows the same one.
      for (const server of rotated(servers, round)) {
        const samples = await attempt(server.name, round, () => measureServer(context, server, round));
        measurements.samples.push(...(samples ?? []));
      }
      if (full !== undefined) {
        const sample = await attempt("consumer", round, () => consume(context, full, round));
        if (sample !== undefined) measurements.consumer.push(sample);
      }
      if (autocannon !== undefined) {
        const samples = await attempt("client", round, () =>
          compareClients(clientContext, autocannon, round),
        );
        measurements.client.push(...(samples ?? []));
      }
    }
    return toReport(measurements);
  } finally {
    await admin.close();
  }
}

/** Without it, the first server would share the machine with the broker's JIT compiler. */
async function warmUpBroker(context: RunContext): Promise<void> {
  context.log(`warming the broker up for ${BROKER_WARM_UP_SECONDS} s`);
  const { partitions, payloadBytes } = context.options;
  await using server = await ServerUnderLoad.start(context, thisService(), "peers-warm-up", partitions);
  await server.measure({ flags: loads.c64.flags, seconds: BROKER_WARM_UP_SECONDS, payloadBytes });
}

function rotated<T>(list: readonly T[], by: number): T[] {
  const at = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
