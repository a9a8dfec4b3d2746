// The comparison: everyone installed, one broker, then round after round in which everyone has a turn.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startBroker } from "@ingest/broker";
import { compareClients, prepareClients } from "./client-run.ts";
import { consume, fillTopic } from "./consumer-run.ts";
import { divideCores, pinSelf } from "./cores.ts";
import { CountedServer } from "./counted-server.ts";
import { loads } from "./loads.ts";
import { describeMachine } from "./machine.ts";
import type { Measured } from "./measured.ts";
import type { Options } from "./options.ts";
import { toReport } from "./report.ts";
import type { Report } from "./report-schema.ts";
import { findMimalloc, prepareSubject, type Subject, subjectNames } from "./subjects.ts";
import { openAdmin } from "./topic.ts";
import { type TurnContext, takeTurn } from "./turn.ts";

const BROKER_WARM_UP_SECONDS = 30;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Runs it all. What can't be had or fails is named in the report's `missing`; the rest goes on. */
export async function compare(
  options: Options,
  isQuick: boolean,
  say: (message: string) => void,
): Promise<Report> {
  await mkdir(options.out, { recursive: true });
  const cores = divideCores();
  const preload = options.preload === "" ? undefined : (options.preload ?? findMimalloc());
  const measured: Mutable<Measured> = {
    startedAt: new Date().toISOString(),
    isQuick,
    machine: describeMachine(),
    setup: {
      rounds: options.rounds,
      seconds: options.seconds,
      warmUpSeconds: options.warmUpSeconds,
      partitions: options.partitions,
      cores: cores.words,
      preload: preload ?? null,
    },
    subjects: [],
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
      say(`${name} is missing: ${reason}`);
      measured.missing.push({ name, round, reason });
      return undefined;
    }
  };

  // Builds use every core; from the broker on, everything has its place.
  const subjects: Subject[] = [];
  for (const name of subjectNames.filter((known) => options.only.includes(known))) {
    const subject = await attempt(name, null, () => prepareSubject(name, { preload, say }));
    if (subject !== undefined) subjects.push(subject);
  }
  measured.subjects = subjects.map(({ name, title, notes }) => ({ name, title, notes }));
  const clientContext = { options, cores, say };
  const autocannon = options.only.includes("client")
    ? await attempt("client", null, () => prepareClients(clientContext))
    : undefined;

  pinSelf(cores.load);
  await using broker = await startBroker({
    onProgress: say,
    // Removed topics give their room back at once: a run makes gigabytes.
    properties: { "log.segment.delete.delay.ms": "500" },
  });
  const admin = await openAdmin(broker.bootstrapServers);
  const context: TurnContext = { options, cores, broker, admin, say, folder: join(options.out, "logs") };
  const service = await prepareSubject("ingest", { preload, say });
  if (!isQuick) await attempt("broker's warm-up", null, () => warmBroker(context, service));
  const full = options.only.includes("consumer")
    ? await attempt("consumer", null, () => fillTopic(context, service))
    : undefined;
  try {
    for (let round = 0; round < options.rounds; round++) {
      // The order changes from round to round: nobody always follows the same one.
      for (const subject of rotated(subjects, round)) {
        const samples = await attempt(subject.name, round, () => takeTurn(context, subject, round));
        measured.samples.push(...(samples ?? []));
      }
      if (full !== undefined) {
        const sample = await attempt("consumer", round, () => consume(context, full, round));
        if (sample !== undefined) measured.consumer.push(sample);
      }
      if (autocannon !== undefined) {
        const samples = await attempt("client", round, () =>
          compareClients(clientContext, autocannon, round),
        );
        measured.client.push(...(samples ?? []));
      }
    }
    return toReport(measured);
  } finally {
    await admin.close();
  }
}

/** The broker's compiler learns too: without this, whoever comes first would share the machine with it. */
async function warmBroker(context: TurnContext, service: Subject): Promise<void> {
  context.say(`warming the broker up for ${BROKER_WARM_UP_SECONDS} s`);
  const { partitions, payloadBytes } = context.options;
  await using server = await CountedServer.start(context, service, "peers-warm-up", partitions);
  await server.load({ flags: loads.c64.flags, seconds: BROKER_WARM_UP_SECONDS, payloadBytes });
}

function rotated<T>(list: readonly T[], by: number): T[] {
  const at = list.length === 0 ? 0 : by % list.length;
  return [...list.slice(at), ...list.slice(0, at)];
}
