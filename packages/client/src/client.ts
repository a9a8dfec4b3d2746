// The client: a bounded queue, one request at a time, and a fate for each event.
import { Flushes } from "./flushes.ts";
import { keepalive } from "./keepalive.ts";
import type { Platform } from "./platform.ts";
import { bodyBytes, EventQueue, type QueuedEvent } from "./queue.ts";
import { Requests } from "./requests.ts";
import type { Outcome } from "./response.ts";
import { backoff } from "./retry.ts";
import { toSettings } from "./settings.ts";
import type {
  Client,
  ClientOptions,
  DropReason,
  EventInput,
  EventResult,
  FlushResult,
  RejectReason,
  SavedEvent,
  StopReason,
  TrackOptions,
  TrackResult,
} from "./types.ts";
import { createIdGenerator } from "./uuid-v7.ts";

const DEFAULT_TIMEOUT_MS = 30_000;
/** How often the store is asked for events of clients that have ended, ms. */
const LOAD_EVERY_MS = 10_000;
/** A store that takes longer than this to open does not hold up sending, ms. */
const LOAD_WITHIN_MS = 3_000;

const encoder = new TextEncoder();

/** @throws TypeError for options that can't be used */
export function createClientOn(platform: Platform, options: ClientOptions): Client {
  const settings = toSettings(options);
  const { store } = settings;
  const { page, elapsedMs, setTimer, clearTimer } = platform;
  const requests = new Requests(settings, platform);
  const queue = new EventQueue({ events: settings.maxQueueEvents, bytes: settings.maxQueueBytes });
  const flushes = new Flushes(platform);
  const newId = createIdGenerator(platform.nowMs, platform.fillRandom);
  const counts = { delivered: 0, invalid: 0, dropped: 0, rejected: 0, requests: 0, retries: 0 };

  /** Smaller once a batch was too large. */
  let limits = { events: settings.maxBatchEvents, bytes: settings.maxBatchBytes };
  let inFlight = 0;
  /** The batch that is being compressed: it has not been sent. */
  let compressing: readonly QueuedEvent[] | undefined;
  let failures = 0;
  let notBeforeMs = 0;
  let hasRetryAfter = false;
  let stopped: StopReason | undefined;
  let closing: Promise<FlushResult> | undefined;
  let isEnded = false;
  let isLoading = store !== undefined;
  let sendTimer: unknown;
  let sendAtMs = Number.POSITIVE_INFINITY;
  let loadTimer: unknown;

  function track(
    type: string,
    payload?: Record<string, unknown>,
    { userId, timestamp = platform.nowMs(), eventId = newId(), schemaVersion }: TrackOptions = {},
  ): TrackResult {
    const reject = (reason: RejectReason): TrackResult => {
      counts.rejected++;
      return { status: "rejected", eventId, reason };
    };
    if (closing !== undefined) return reject("closed");
    let json: string;
    try {
      json = JSON.stringify({
        event_type: type,
        event_id: eventId,
        user_id: userId,
        timestamp,
        payload,
        schema_version: schemaVersion,
      });
    } catch {
      return reject("not_json");
    }
    const bytes = encoder.encode(json).length;
    if (bytes > settings.maxQueueBytes) return reject("too_large");
    while (!queue.hasRoom(bytes)) {
      const oldest = settings.whenFull === "drop_oldest" ? queue.oldestWaiting() : undefined;
      if (oldest === undefined) return reject("queue_full");
      drop([oldest], "queue_full");
    }
    queue.add({ id: eventId, json, bytes, queuedMs: elapsedMs(), isInFlight: false });
    store?.add({ id: eventId, json }, reportStoreError);
    schedule();
    return { status: "queued", eventId };
  }

  /** Sets the timer for the next request, unless one is in flight. */
  function schedule(): void {
    if (inFlight > 0 || stopped !== undefined || isLoading || isEnded) return;
    const oldest = queue.oldestWaiting();
    if (oldest === undefined) return;
    const isDue = flushes.isAny || queue.length >= limits.events || queue.bytes >= limits.bytes;
    const atMs = Math.max(isDue ? 0 : oldest.queuedMs + settings.lingerMs, notBeforeMs);
    if (atMs >= sendAtMs) return;
    clearTimer(sendTimer);
    sendAtMs = atMs;
    sendTimer = setTimer(
      () => {
        cancelTimer();
        if (inFlight === 0) void send(queue.next(limits, true));
      },
      Math.max(atMs - elapsedMs(), 0),
    );
  }

  function cancelTimer(): void {
    clearTimer(sendTimer);
    sendAtMs = Number.POSITIVE_INFINITY;
  }

  async function send(batch: readonly QueuedEvent[], isLeaving = false): Promise<void> {
    if (batch.length === 0) return;
    cancelTimer();
    for (const event of batch) event.isInFlight = true;
    inFlight++;
    const work = isLeaving ? undefined : requests.compress(batch);
    let compressed: ArrayBuffer | undefined;
    if (work !== undefined) {
      compressing = batch;
      compressed = await work;
      // The page was hidden meanwhile, and the batch sent as it was.
      if (compressing !== batch) return;
      compressing = undefined;
    }
    counts.requests++;
    // A first attempt outlives the page. If the browser's room for that was the reason why it failed, the next one needs none.
    const outcome = await requests.send(batch, compressed, isLeaving || failures === 0);
    settle(batch, outcome);
  }

  function settle(batch: readonly QueuedEvent[], outcome: Outcome): void {
    if (isEnded) return;
    release(batch);
    switch (outcome.kind) {
      case "results":
        settleEach(batch, outcome.results, outcome.afterMs);
        break;
      case "retry":
        pause(outcome.afterMs);
        break;
      case "too_large":
        if (batch.length > 1)
          limits = { events: Math.ceil(batch.length / 2), bytes: Math.ceil(bodyBytes(batch) / 2) };
        else finish([{ event: batch[0]!, result: tooLarge(batch[0]!) }]);
        break;
      case "stop":
        stop(outcome.reason);
    }
    flushes.endComplete();
    schedule();
  }

  function settleEach(
    batch: readonly QueuedEvent[],
    results: readonly EventResult[],
    headerMs: number | undefined,
  ): void {
    const done = batch
      .map((event, i) => ({ event, result: results[i]! }))
      .filter(({ result }) => isFate(result));
    finish(done);
    if (done.length > 0) failures = 0;
    if (done.length === batch.length) return;
    const waitsMs = results.map((result) => (result?.retry_after_seconds ?? 0) * 1_000);
    const afterMs = Math.max(headerMs ?? 0, ...waitsMs);
    pause(afterMs > 0 ? afterMs : undefined);
  }

  function finish(done: readonly { event: QueuedEvent; result: EventResult }[]): void {
    forget(done.map(({ event }) => event));
    for (const { event, result } of done) {
      const isInvalid = result.status === "invalid";
      counts[isInvalid ? "invalid" : "delivered"]++;
      report(isInvalid ? settings.onInvalid : settings.onDelivered, event, result);
    }
  }

  function pause(afterMs: number | undefined): void {
    counts.retries++;
    failures++;
    const { backoffMs, maxBackoffMs } = settings;
    const pauseMs = (afterMs ?? 0) + backoff(failures, backoffMs, maxBackoffMs, platform.random());
    hasRetryAfter = afterMs !== undefined;
    notBeforeMs = elapsedMs() + pauseMs;
  }

  function stop(reason: StopReason): void {
    if (stopped !== undefined) return;
    stopped = reason;
    cancelTimer();
    flushes.endAll();
    call(() => settings.onStopped?.(reason));
  }

  function drop(events: readonly QueuedEvent[], reason: DropReason): void {
    counts.dropped += events.length;
    forget(events);
    for (const event of events) report(settings.onDropped, event, reason);
  }

  /** The events have a fate. */
  function forget(events: readonly QueuedEvent[]): void {
    queue.remove(new Set(events));
    flushes.settle(events);
    store?.remove(
      events.map(({ id }) => id),
      reportStoreError,
    );
  }

  function release(batch: readonly QueuedEvent[]): void {
    inFlight--;
    for (const event of batch) event.isInFlight = false;
  }

  async function load(): Promise<void> {
    const room = {
      events: queue.bounds.events - queue.length,
      bytes: queue.bounds.bytes - queue.bytes,
    };
    if (room.events > 0 && room.bytes > 0) {
      const found = (await store!.load(room)).map(toQueuedEvent);
      queue.addOldest(found);
      flushes.add(found);
    }
    if (isEnded) return;
    loadTimer = setTimer(() => void load().then(schedule, reportStoreError), LOAD_EVERY_MS, "background");
  }

  function startLoading(): void {
    const end = () => {
      clearTimer(limitTimer);
      isLoading = false;
      flushes.endComplete();
      schedule();
    };
    const limitTimer = setTimer(end, LOAD_WITHIN_MS);
    void load().catch(reportStoreError).then(end);
  }

  function flush({ timeoutMs = DEFAULT_TIMEOUT_MS }: { timeoutMs?: number } = {}): Promise<FlushResult> {
    const result = flushes.start(queue.events, timeoutMs);
    if (stopped !== undefined) flushes.endAll();
    else if (!isLoading) flushes.endComplete();
    schedule();
    return result;
  }

  async function end(timeoutMs: number | undefined): Promise<FlushResult> {
    const result = await flush(timeoutMs === undefined ? {} : { timeoutMs });
    isEnded = true;
    cancelTimer();
    clearTimer(loadTimer);
    endObserving?.();
    requests.abort();
    if (store === undefined) drop([...queue.events], "closed");
    else await store.close();
    return result;
  }

  /** Sends what a page that may not come back has. Nothing here may wait. */
  function onHide(): void {
    if (stopped !== undefined || (hasRetryAfter && elapsedMs() < notBeforeMs)) return;
    if (compressing !== undefined) {
      release(compressing);
      compressing = undefined;
    }
    const usesBeacon =
      settings.onPageHide === "beacon" || !(page!.hasKeepalive || requests.key !== undefined);
    for (;;) {
      const bytes = Math.min(limits.bytes, keepalive.room);
      const batch = queue.next({ events: limits.events, bytes }, false);
      if (batch.length === 0) return;
      if (!usesBeacon) void send(batch, true);
      else if (requests.sendBeacon(batch)) holdBeaconed(batch);
      else return;
    }
  }

  /** A beacon has no response: if the page is still there after a while, its events are sent again. */
  function holdBeaconed(batch: readonly QueuedEvent[]): void {
    const bytes = bodyBytes(batch);
    for (const event of batch) event.isInFlight = true;
    keepalive.take(bytes);
    counts.requests++;
    setTimer(() => {
      keepalive.release(bytes);
      for (const event of batch) event.isInFlight = false;
      schedule();
    }, settings.requestTimeoutMs);
  }

  function reportStoreError(error: unknown): void {
    call(() => settings.onStoreError?.(error));
  }

  const endObserving = page?.observe({
    onHide,
    onOnline() {
      if (hasRetryAfter) return;
      notBeforeMs = 0;
      schedule();
    },
  });
  if (store !== undefined) startLoading();

  return {
    track,
    flush,
    close({ timeoutMs } = {}) {
      closing ??= end(timeoutMs);
      return closing;
    },
    resume(key) {
      if (key !== undefined) requests.key = key;
      stopped = undefined;
      schedule();
    },
    stats: () => ({ queuedEvents: queue.length, queuedBytes: queue.bytes, ...counts }),
  };
}

function toQueuedEvent({ id, json }: SavedEvent): QueuedEvent {
  const { length: bytes } = encoder.encode(json);
  return { id, json, bytes, queuedMs: Number.NEGATIVE_INFINITY, isInFlight: false };
}

/** `retry`, `unknown`, and what a later producer may add, are no fate. */
function isFate(result: EventResult | null): boolean {
  return ["accepted", "durable", "stored", "invalid"].includes(result?.status ?? "");
}

/** The result of an event whose request, with nothing else in it, is too large. */
function tooLarge({ id }: QueuedEvent): EventResult {
  const errors = [{ pointer: "", message: "is larger than the producer takes" }];
  return { index: 0, status: "invalid", event_id: id, code: "too_large", errors };
}

function report<T>(
  callback: ((event: EventInput, detail: T) => void) | undefined,
  { json }: QueuedEvent,
  detail: T,
): void {
  if (callback !== undefined) call(() => callback(JSON.parse(json), detail));
}

/** An error of a callback is the program's own: it ends nothing here, and the platform reports it. */
function call(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    setTimeout(() => {
      throw error;
    });
  }
}
