// One server in one round: started with an empty topic, checked, warmed up, and given each of its loads.
import { type LoadName, loads } from "../kit/loads.ts";
import { ServerUnderLoad, type TestBed } from "../kit/server-under-load.ts";
import type { Options } from "./options.ts";
import { plan } from "./plan.ts";
import type { Sample } from "./report-schema.ts";
import type { ComparedServer } from "./servers.ts";

export interface RunContext extends TestBed {
  readonly options: Options;
  readonly log: (message: string) => void;
}

/**
 * @returns a sample for each load; a void one names its reasons
 * @throws ServerStartError, or Error when the server violates the contract
 */
export async function measureServer(
  context: RunContext,
  server: ComparedServer,
  round: number,
): Promise<Sample[]> {
  const { options, log } = context;
  const topic = `peers-${server.name}-${round}`;
  await using running = await ServerUnderLoad.start(context, server, topic, options.partitions);
  const measure = (load: LoadName, seconds: number) =>
    running.measure({ flags: loads[load].flags, seconds, payloadBytes: options.payloadBytes });
  await running.checkContract();
  if (options.warmUpSeconds > 0) await measure("c64", options.warmUpSeconds);
  const samples: Sample[] = [];
  for (const load of plan[server.name]) {
    if (options.warmUpSeconds > 0) await measure(load, 1);
    const sample: Sample = { server: server.name, load, round, ...(await measure(load, options.seconds)) };
    const verdict = sample.void.length === 0 ? "" : ` VOID: ${sample.void.join("; ")}`;
    log(
      `round ${round + 1} · ${server.title} · ${loads[load].title}: ` +
        `${sample.cpuMicrosPerEvent.toFixed(2)} µs CPU an event, ${Math.round(sample.eventsPerSecond)}/s${verdict}`,
    );
    samples.push(sample);
  }
  return samples;
}
