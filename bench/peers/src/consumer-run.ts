// The consumer at its log: a full topic, one core, every event a line, as many lines as events.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "@ingest/broker";
import { pinned } from "./cores.ts";
import { fire } from "./loads.ts";
import { cpuMicros, peakMemoryMiB } from "./process-tree.ts";
import type { ConsumerSample } from "./report-schema.ts";
import { MeasuredServer, plainEnv } from "./server.ts";
import { root, type Subject } from "./subjects.ts";
import { MeasuredTopic } from "./topic.ts";
import type { TurnContext } from "./turn.ts";

const EVENTS_A_BATCH = 100;
/** What one second of a measured load is worth in events; a consumer's core does more than this. */
const EVENTS_A_SECOND = 100_000;
const DEADLINE_MS = 120_000;
/** In every line about an event and in no other. */
const EVENT_MARK = Buffer.from('"message":"event"');

/** A topic with events for the consumer to read; the service puts them there. */
export async function fillTopic(
  context: TurnContext,
  service: Subject,
): Promise<MeasuredTopic & { events: number }> {
  const { options, broker, admin, cores } = context;
  await mkdir(options.out, { recursive: true });
  const topic = await MeasuredTopic.create(
    admin,
    broker.bootstrapServers,
    "peers-consumer",
    options.partitions,
  );
  await using server = await MeasuredServer.start({
    subject: service,
    port: await freePort(),
    cores: cores.server,
    topic: topic.name,
    bootstrapServers: broker.bootstrapServers,
    env: { JOURNAL_DIR: join(broker.dataDir, "journal", topic.name) },
    logFile: join(options.out, "fill.log"),
  });
  const { report } = await fire({
    url: server.url,
    flags: ["--concurrency", "8", "--batch", String(EVENTS_A_BATCH)],
    amount: { requests: (EVENTS_A_SECOND * options.seconds) / EVENTS_A_BATCH },
    payloadBytes: options.payloadBytes,
    cores: cores.load,
    folder: options.out,
  });
  return Object.assign(topic, { events: await topic.settle(report.events.accepted) });
}

/** One consumer of a group of its own reads the whole topic. */
export async function consume(
  context: TurnContext,
  topic: { readonly name: string; readonly events: number },
  round: number,
): Promise<ConsumerSample> {
  const { broker, cores, say } = context;
  const command = [process.execPath, join(root, "services/consumer/src/main.ts")];
  const child = Bun.spawn(pinned(cores.server, command), {
    cwd: root,
    env: {
      ...plainEnv(),
      KAFKA_BOOTSTRAP_SERVERS: broker.bootstrapServers,
      KAFKA_TOPIC: topic.name,
      KAFKA_GROUP_ID: `peers-consumer-${round}`,
      HEALTH_PORT: String(await freePort()),
      HOST: "127.0.0.1",
      LOG_LEVEL: "info",
      LOG_FORMAT: "json",
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const deadline = setTimeout(() => child.kill("SIGKILL"), DEADLINE_MS);
  try {
    let lines = 0;
    let firstAt = 0;
    let done: Pick<ConsumerSample, "eventsPerSecond" | "cpuMicrosPerEvent" | "peakMemoryMiB"> | undefined;
    let rest: Uint8Array = new Uint8Array();
    for await (const chunk of child.stdout) {
      const bytes = Buffer.concat([rest, chunk]);
      const found = countMarks(bytes);
      if (lines === 0 && found > 0) firstAt = performance.now();
      lines += found;
      // A mark may be cut in two by the end of what has come so far.
      rest = bytes.subarray(Math.max(0, bytes.length - EVENT_MARK.length + 1));
      if (done !== undefined || lines < topic.events) continue;
      done = {
        eventsPerSecond: (lines / (performance.now() - firstAt)) * 1000,
        cpuMicrosPerEvent: cpuMicros(child.pid) / lines,
        peakMemoryMiB: peakMemoryMiB(child.pid),
      };
      // Its output is read to the end: an event that is written twice shows as a line too many.
      child.kill("SIGTERM");
    }
    const isRight = done !== undefined && lines === topic.events;
    const sample: ConsumerSample = {
      round,
      void: isRight ? [] : [`${topic.events} events, ${lines} lines`],
      events: lines,
      ...(done ?? { eventsPerSecond: 0, cpuMicrosPerEvent: 0, peakMemoryMiB: 0 }),
    };
    say(
      `round ${round + 1} · consumer: ${Math.round(sample.eventsPerSecond)} events/s, ${sample.cpuMicrosPerEvent.toFixed(2)} µs CPU each ${sample.void.join()}`,
    );
    return sample;
  } finally {
    clearTimeout(deadline);
    child.kill("SIGKILL");
    await child.exited;
  }
}

function countMarks(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(EVENT_MARK); at >= 0; at = bytes.indexOf(EVENT_MARK, at + EVENT_MARK.length))
    count++;
  return count;
}
