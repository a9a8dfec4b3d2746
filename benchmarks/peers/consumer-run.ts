// The consumer that logs every event: it reads a filled topic on one core and must write one line an event.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "@ingest/broker";
import { pinned } from "../kit/cores.ts";
import { runLoadGenerator } from "../kit/load-generator.ts";
import { root } from "../kit/paths.ts";
import { cpuMicros, peakMemoryMiB } from "../kit/process-tree.ts";
import { cleanEnv, ServerProcess } from "../kit/server-process.ts";
import { thisService } from "../kit/this-service.ts";
import { MeasuredTopic } from "../kit/topic.ts";
import type { ConsumerSample } from "./report-schema.ts";
import type { RunContext } from "./server-run.ts";

const EVENTS_A_BATCH = 100;
/** A consumer's core handles more than this, so that a run takes at most `seconds`. */
const EVENTS_A_SECOND = 100_000;
const DEADLINE_MS = 120_000;
/** In the log line of every event, and in no other line. */
const EVENT_MARKER = Buffer.from('"message":"event"');

/** Fills a topic by way of the service. */
export async function fillTopic(context: RunContext): Promise<MeasuredTopic & { events: number }> {
  const { options, broker, admin, cores } = context;
  await mkdir(options.out, { recursive: true });
  const topic = await MeasuredTopic.create(
    admin,
    broker.bootstrapServers,
    "peers-consumer",
    options.partitions,
  );
  await using server = await ServerProcess.start({
    spec: thisService(),
    port: await freePort(),
    cores: cores.server,
    topic: topic.name,
    bootstrapServers: broker.bootstrapServers,
    env: { JOURNAL_DIR: join(broker.dataDir, "journal", topic.name) },
    logFile: join(options.out, "fill.log"),
  });
  const { report } = await runLoadGenerator({
    url: server.url,
    flags: ["--concurrency", "8", "--batch", String(EVENTS_A_BATCH)],
    amount: { requests: (EVENTS_A_SECOND * options.seconds) / EVENTS_A_BATCH },
    payloadBytes: options.payloadBytes,
    cores: cores.load,
    folder: options.out,
  });
  return Object.assign(topic, { events: await topic.settle(report.events.accepted) });
}

/** A consumer in a new group reads the whole topic. */
export async function consume(
  context: RunContext,
  topic: { readonly name: string; readonly events: number },
  round: number,
): Promise<ConsumerSample> {
  const { broker, cores, log } = context;
  const command = [process.execPath, join(root, "services/consumer/src/main.ts")];
  const child = Bun.spawn(pinned(cores.server, command), {
    cwd: root,
    env: {
      ...cleanEnv(),
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
      const found = countMarkers(bytes);
      if (lines === 0 && found > 0) firstAt = performance.now();
      lines += found;
      // The end of a chunk may cut a marker in two.
      rest = bytes.subarray(Math.max(0, bytes.length - EVENT_MARKER.length + 1));
      if (done !== undefined || lines < topic.events) continue;
      done = {
        eventsPerSecond: (lines / (performance.now() - firstAt)) * 1000,
        cpuMicrosPerEvent: cpuMicros(child.pid) / lines,
        peakMemoryMiB: peakMemoryMiB(child.pid),
      };
      // The rest of its output is still read: an event that is logged twice shows as a surplus line.
      child.kill("SIGTERM");
    }
    const isValid = done !== undefined && lines === topic.events;
    const sample: ConsumerSample = {
      round,
      void: isValid ? [] : [`${topic.events} events, ${lines} lines`],
      events: lines,
      ...(done ?? { eventsPerSecond: 0, cpuMicrosPerEvent: 0, peakMemoryMiB: 0 }),
    };
    log(
      `round ${round + 1} · consumer: ${Math.round(sample.eventsPerSecond)} events/s, ${sample.cpuMicrosPerEvent.toFixed(2)} µs CPU each ${sample.void.join()}`,
    );
    return sample;
  } finally {
    clearTimeout(deadline);
    child.kill("SIGKILL");
    await child.exited;
  }
}

function countMarkers(bytes: Buffer): number {
  let count = 0;
  for (
    let at = bytes.indexOf(EVENT_MARKER);
    at >= 0;
    at = bytes.indexOf(EVENT_MARKER, at + EVENT_MARKER.length)
  )
    count++;
  return count;
}
