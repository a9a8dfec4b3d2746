// One turn of one server: start it on an empty topic, check its answers, warm it up, give it each of its loads.
import { type Bench, CountedServer } from "./counted-server.ts";
import { type LoadName, loads, plan } from "./loads.ts";
import type { Options } from "./options.ts";
import type { Sample } from "./report-schema.ts";
import type { Subject } from "./subjects.ts";

export interface TurnContext extends Bench {
  readonly options: Options;
  readonly say: (message: string) => void;
}

/**
 * @returns a sample for each load; one that can't be trusted is void and says why
 * @throws ServerError when it doesn't start, Error when its answers are wrong
 */
export async function takeTurn(context: TurnContext, subject: Subject, round: number): Promise<Sample[]> {
  const { options, say } = context;
  await using server = await CountedServer.start(
    context,
    subject,
    `peers-${subject.name}-${round}`,
    options.partitions,
  );
  const measure = (load: LoadName, seconds: number) =>
    server.load({ flags: loads[load].flags, seconds, payloadBytes: options.payloadBytes });
  await server.check();
  if (options.warmUpSeconds > 0) await measure("c64", options.warmUpSeconds);
  const samples: Sample[] = [];
  for (const load of plan[subject.name]) {
    if (options.warmUpSeconds > 0) await measure(load, 1);
    const sample: Sample = { subject: subject.name, load, round, ...(await measure(load, options.seconds)) };
    const verdict = sample.void.length === 0 ? "" : ` VOID: ${sample.void.join("; ")}`;
    say(
      `round ${round + 1} · ${subject.title} · ${loads[load].title}: ` +
        `${sample.cpuMicrosPerEvent.toFixed(2)} µs CPU an event, ${Math.round(sample.eventsPerSecond)}/s${verdict}`,
    );
    samples.push(sample);
  }
  return samples;
}
