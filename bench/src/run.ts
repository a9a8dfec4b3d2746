// A whole run, callable in-process: checks that the server listens, sends the load, verifies and reports.
import type { Target } from "./http/client.ts";
import { createFetchClient } from "./http/fetch-client.ts";
import { assertListening } from "./http/listening.ts";
import { createSocketClient } from "./http/socket-client.ts";
import { createEventSource, createRunId } from "./load/events.ts";
import { EventOutcome, Ledger } from "./load/ledger.ts";
import { runLoad } from "./load/run-load.ts";
import { Recorder } from "./measure/recorder.ts";
import type { Options } from "./options.ts";
import { toReport } from "./report/report.ts";
import type { Report, VerificationReport } from "./report/schema.ts";
import { type EventTopic, openEventTopic } from "./verify/event-topic.ts";
import { verify } from "./verify/verify.ts";

/** The state of a run, reported twice a second. */
export type Progress =
  | {
      phase: "sending";
      elapsedMs: number;
      /** Over the last half second. */
      requestsPerSecond: number;
      accepted: number;
      refused: number;
      errors: number;
      p99Ms: number;
    }
  | { phase: "verifying"; elapsedMs: number; stored: number; accepted: number };

export interface RunHooks {
  /** Stops sending; the run continues with verification and report. */
  readonly stopSending?: AbortSignal;
  /** Stops the verification, too. */
  readonly stopAll?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Replaces Kafka in tests. */
  readonly openTopic?: typeof openEventTopic;
}

const PROGRESS_MS = 500;

/**
 * @throws NothingListensError before anything is sent; TopicUnreachableError before anything is sent, or when Kafka
 * becomes unavailable during verification
 */
export async function run(options: Options, hooks: RunHooks = {}): Promise<Report> {
  await assertListening(options.url);
  if (options.verify === undefined) return await sendAndReport(options, hooks, undefined);
  const topic = await (hooks.openTopic ?? openEventTopic)(options.verify);
  try {
    return await sendAndReport(options, hooks, topic);
  } finally {
    await topic.close();
  }
}

async function sendAndReport(
  options: Options,
  hooks: RunHooks,
  topic: EventTopic | undefined,
): Promise<Report> {
  const runId = createRunId();
  const source = createEventSource({ ...options, runId });
  const ledger = new Ledger();
  const recorder = new Recorder(source, ledger, options.batch !== undefined);
  const start = await topic?.ends();
  const stopSending = hooks.stopSending ?? new AbortController().signal;
  const count = options.batch ?? 1;
  const startedAt = new Date();
  const stopProgress = reportProgress(recorder, hooks.onProgress);
  const cpuBefore = process.cpuUsage();
  const load = await runLoad(
    {
      ...options,
      target: targetOf(options),
      createClient: options.client === "fetch" ? createFetchClient : createSocketClient,
      eventsPerRequest: count,
      body:
        options.batch === undefined ? source.event : (first) => source.batch(first, count, options.format),
    },
    recorder,
    stopSending,
  );
  const cpu = process.cpuUsage(cpuBefore);
  stopProgress();
  let verification: VerificationReport | null = null;
  if (topic !== undefined && start !== undefined && options.verify !== undefined) {
    const accepted = recorder.outcomes[EventOutcome.Accepted]!;
    const verifyingSince = performance.now();
    verification = await verify({
      topic,
      topicName: options.verify.topic,
      start,
      runId,
      ledger,
      accepted,
      idleMs: options.verify.idleMs,
      signal: hooks.stopAll ?? new AbortController().signal,
      onProgress: (stored) => {
        const elapsedMs = performance.now() - verifyingSince;
        hooks.onProgress?.({ phase: "verifying", elapsedMs, stored, accepted });
      },
    });
  }
  return toReport({
    options,
    startedAt,
    runId,
    eventBytes: source.event(0).length,
    interrupted: stopSending.aborted,
    load,
    cpuMicros: cpu.user + cpu.system,
    recorder,
    verification,
  });
}

function targetOf({ url, batch, format, durability }: Options): Target {
  const endpoint = new URL(url);
  endpoint.pathname = `${url.pathname.replace(/\/$/, "")}/${batch === undefined ? "register_event" : "register_events"}`;
  return {
    url: endpoint,
    headers: {
      "Content-Type":
        batch !== undefined && format === "ndjson" ? "application/x-ndjson" : "application/json",
      ...(durability === undefined ? {} : { Prefer: `durability=${durability}` }),
    },
  };
}

function reportProgress(recorder: Recorder, onProgress: RunHooks["onProgress"]): () => void {
  if (onProgress === undefined) return () => {};
  const startedAt = performance.now();
  let lastAt = startedAt;
  let lastCompleted = 0;
  const timer = setInterval(() => {
    const now = performance.now();
    onProgress({
      phase: "sending",
      elapsedMs: now - startedAt,
      requestsPerSecond: ((recorder.completed - lastCompleted) / (now - lastAt)) * 1000,
      accepted: recorder.outcomes[EventOutcome.Accepted]!,
      refused: recorder.outcomes[EventOutcome.Refused]!,
      errors: [...recorder.failures.values()].reduce((sum, n) => sum + n, 0),
      p99Ms: recorder.latency.getValueAtPercentile(99) / 1000,
    });
    lastAt = now;
    lastCompleted = recorder.completed;
  }, PROGRESS_MS);
  return () => clearInterval(timer);
}
