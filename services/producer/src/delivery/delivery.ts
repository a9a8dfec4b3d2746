// Delivers events with the durability that their callers requested. Events go straight to
// the client while Kafka takes them. When it doesn't, all events go through the journal, in order, until replay has
// caught up.

import type { KafkaError } from "@ingest/kafka";
import type { Log } from "@ingest/service";
import Denque from "denque";
import { DurableOutcomes } from "./durable-outcomes.ts";
import { FailureLog } from "./failure-log.ts";
import { InFlightTable } from "./in-flight-table.ts";
import { JournalRecord } from "./journal/cursor.ts";
import type { Journal } from "./journal/journal.ts";
import { positionOf, reclaim } from "./reclaim.ts";
import { RefusalCounter } from "./refusals.ts";
import type { RejectedEvents } from "./rejected-events.ts";
import { ReplayWindow } from "./replay-window.ts";
import type { Sink, SinkFactory, SinkRecord } from "./sink.ts";
import { type InFlightEvent, type RetainedEvent, receivedMs, TrackedEvent } from "./tracked-event.ts";
import {
  type AcceptOutcome,
  type Delivery,
  type DeliveryState,
  type DurableOutcome,
  type EncodedEvent,
  type Refusal,
  type RefusalCode,
  type StopResult,
  type StoredOutcome,
  UNKNOWN,
} from "./types.ts";
import { Watchdog } from "./watchdog.ts";

export interface DeliveryOptions {
  createSink: SinkFactory;
  /** Opens the journal; absent: no journal. */
  openJournal?: () => Promise<Journal>;
  /** Where events go that Kafka rejects for good; absent without a journal. */
  rejected?: RejectedEvents;
  /** When an event has no outcome after this time, it is reclaimed with all events behind it, ms. */
  stallMs: number;
  /** How long `durable` waits for the fsync, ms. */
  durableDeadlineMs: number;
  log: Log;
  /** Interval of the watchdog, ms. */
  tickMs?: number;
  /** Monotonic clock, ms. */
  now?: () => number;
}

/** A Kafka client, with the events handed to it. */
interface Client {
  readonly sink: Sink;
  readonly inFlight: InFlightTable<InFlightEvent>;
  /** Kafka confirmed at least one of its records. */
  hasDelivered: boolean;
}

const ACCEPTED: AcceptOutcome = Object.freeze({ status: "accepted" });

const TICK_MS = 250;
/** Records replayed in one turn of the event loop. */
const REPLAY_BURST = 1_000;
/** Share of the stop budget for flushing; the rest is for the journal and for closing the client. */
const FLUSH_SHARE = 0.7;

export class JournalledDelivery implements Delivery {
  readonly #options: DeliveryOptions;
  readonly #log: Log;
  readonly #refusals = new RefusalCounter();
  readonly #failures: FailureLog;
  readonly #durableOutcomes: DurableOutcomes;
  readonly #watchdog: Watchdog;
  readonly #window = new ReplayWindow();
  readonly #counts = { delivered: 0, lost: 0, spooled: 0, replayed: 0, clientRestarts: 0 };
  readonly #now: () => number;
  #journal: Journal | undefined;
  #client: Client;
  /** Events may go straight to the client: no older event is waiting in the journal or in memory. */
  #isDirect = false;
  #phase: "new" | "running" | "stopping" = "new";
  /** Without a journal: events reclaimed from a former client. They are sent before new ones. */
  readonly #retained = new Denque<RetainedEvent>();
  #timer: Timer | undefined;
  #isReplayScheduled = false;
  #isSending = false;
  /** Replay passed rejected records that could not be quarantined: it returns to them when they can. */
  #hasSkippedRecords = false;
  /** Replay rewinds to the skipped records as soon as nothing is in flight. */
  #isRewindPending = false;
  /** A delivery failed just now: the next attempt waits for the next tick, since it may fail as fast again. */
  #isBackingOff = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#now = options.now ?? performance.now.bind(performance);
    this.#failures = new FailureLog(options.log);
    this.#durableOutcomes = new DurableOutcomes(options.durableDeadlineMs);
    this.#watchdog = new Watchdog(options.stallMs);
    this.#client = this.#createClient();
  }

  async start(): Promise<void> {
    try {
      this.#journal = await this.#options.openJournal?.();
    } catch (error) {
      await this.#client.sink.close(0);
      throw error;
    }
    this.#phase = "running";
    this.#isDirect = this.#journal?.peek() === undefined;
    this.#timer = setInterval(() => this.#tick(this.#now()), this.#options.tickMs ?? TICK_MS);
  }

  journalTopics(): string[] {
    return this.#journal?.topics ?? [];
  }

  accept(event: EncodedEvent): AcceptOutcome {
    if (!this.#isDirect) return this.#spool(event);
    try {
      if (this.#send(event)) {
        this.#client.inFlight.add(event);
        return ACCEPTED;
      }
    } catch (error) {
      const refusal = this.#onSendError(error as KafkaError);
      if (refusal) return refusal;
    }
    if (!this.#journal) return this.#refusals.refuse(this.#queueRefusal());
    if (this.#isDirect) this.#startSpooling();
    return this.#spool(event);
  }

  durable(event: EncodedEvent): Promise<DurableOutcome> {
    const refusal = this.#journalRefusal();
    if (refusal !== undefined) return Promise.resolve(this.#refusals.refuse(refusal));
    const journal = this.#journal!;
    if (this.#isDirect) {
      try {
        if (this.#send(event))
          this.#client.inFlight.add(TrackedEvent.journalled(event, journal.append(event, receivedMs(event))));
        else if (this.#isDirect) this.#startSpooling();
      } catch (error) {
        const refusal = this.#onSendError(error as KafkaError);
        if (refusal) return Promise.resolve(refusal);
      }
    }
    if (!this.#isDirect) {
      journal.append(event, receivedMs(event));
      this.#scheduleReplay();
    }
    return this.#durableOutcomes.after(journal.commit());
  }

  stored(event: EncodedEvent, deadlineMs: number): Promise<StoredOutcome> {
    if (this.#phase !== "running") return Promise.resolve(this.#refusals.refuse("shutting_down"));
    // In the journal it could be sent long after its deadline; past the journal it would overtake older events.
    if (!this.#isDirect) return Promise.resolve(this.#refusals.refuse(this.#queueRefusal()));
    const { promise, resolve } = Promise.withResolvers<StoredOutcome>();
    try {
      if (!this.#send(event)) return Promise.resolve(this.#refusals.refuse(this.#queueRefusal()));
    } catch (error) {
      return Promise.resolve(
        this.#onSendError(error as KafkaError) ?? this.#refusals.refuse("kafka_unavailable"),
      );
    }
    const deadline = setTimeout(() => tracked.settle(UNKNOWN), deadlineMs);
    const tracked = TrackedEvent.awaited(event, (outcome) => {
      clearTimeout(deadline);
      resolve(outcome);
    });
    this.#client.inFlight.add(tracked);
    return promise;
  }

  refuse(): Refusal | undefined {
    if (this.#isDirect) return undefined;
    const code = this.#spoolRefusal();
    return code === undefined ? undefined : this.#refusals.refuse(code);
  }

  state(): DeliveryState {
    const journal = this.#journal;
    const { sink, inFlight } = this.#client;
    const refusal = this.#refusal();
    return {
      ready: refusal === undefined,
      ...(refusal === undefined ? {} : { refusal }),
      connected: sink.connected,
      spooling: this.#phase === "running" && !this.#isDirect,
      inFlight: inFlight.count + this.#retained.length,
      ...(journal ? { journal: journal.state() } : {}),
      counts: {
        ...this.#counts,
        failed: this.#failures.counts,
        refused: this.#refusals.counts,
        rejected: this.#options.rejected?.count ?? 0,
        corrupt: journal?.corrupt ?? 0,
        fsyncs: journal?.fsyncs ?? 0,
        fsyncFailures: journal?.fsyncFailures ?? 0,
      },
    };
  }

  settlePending(): void {
    this.#durableOutcomes.settlePending();
    for (const [, entry] of this.#client.inFlight.entries())
      if (entry instanceof TrackedEvent) entry.settle(UNKNOWN);
  }

  async stop(budgetMs: number): Promise<StopResult> {
    const deadline = performance.now() + budgetMs;
    this.#phase = "stopping";
    this.#isDirect = false;
    clearInterval(this.#timer);
    const { sink, inFlight } = this.#client;
    if (sink.connected && inFlight.count > 0) await sink.flush(budgetMs * FLUSH_SHARE);
    const { spooled, retained } = reclaim(inFlight, this.#journal);
    this.#counts.spooled += spooled;
    this.#counts.lost += retained.length + this.#retained.length;
    // Confirmations that arrive until then still acknowledge journal records.
    await sink.close(Math.max(0, (deadline - performance.now()) / 2));
    this.#failures.flush(performance.now(), true);
    await this.#options.rejected?.close();
    const closed = await this.#journal?.close();
    return { journalled: closed?.kept ?? 0, lost: this.#counts.lost + (closed?.lost ?? 0) };
  }

  /**
   * Hands a record to the client. When true, the caller adds it to the in-flight table.
   * False: not now, or an earlier record failed during the call and the client was recreated.
   */
  #send(record: SinkRecord): boolean {
    const client = this.#client;
    this.#isSending = true;
    try {
      return client.sink.send(record, client.inFlight.nextTicket) && client === this.#client;
    } finally {
      this.#isSending = false;
    }
  }

  // --- refusing ---

  #refusal(): RefusalCode | undefined {
    if (!this.#isDirect) return this.#spoolRefusal();
    if (this.#client.sink.connected) return undefined;
    return this.#journal ? this.#journal.refusal : "kafka_unavailable";
  }

  /** Why no event can be taken, while events can't go straight to the client. */
  #spoolRefusal(): RefusalCode | undefined {
    if (this.#phase !== "running") return "shutting_down";
    return this.#journal ? this.#journal.refusal : this.#queueRefusal();
  }

  #journalRefusal(): RefusalCode | undefined {
    if (this.#phase !== "running") return "shutting_down";
    return this.#journal ? this.#journal.refusal : "journal_unavailable";
  }

  /** Why the client takes no event. */
  #queueRefusal(): RefusalCode {
    return this.#client.sink.connected ? "queue_full" : "kafka_unavailable";
  }

  /** For an event that Kafka or the client rejects for good. */
  #refuseInvalid(error: KafkaError): Refusal {
    return this.#refusals.refuse(error.code === "message_too_large" ? "too_large" : "kafka_unavailable");
  }

  /** The client threw on an event. @returns undefined when the event may go to the journal instead */
  #onSendError(error: KafkaError): Refusal | undefined {
    if (error.isFatal) this.#reclaim(true);
    else if (!error.canRetry) return this.#refuseInvalid(error);
    else if (this.#isDirect && this.#journal) this.#startSpooling();
    return undefined;
  }

  // --- spooling and replay ---

  #spool(event: EncodedEvent): AcceptOutcome {
    const refusal = this.#spoolRefusal();
    if (refusal !== undefined) return this.#refusals.refuse(refusal);
    this.#journal!.append(event, receivedMs(event));
    this.#counts.spooled++;
    this.#scheduleReplay();
    return ACCEPTED;
  }

  #startSpooling(cause?: string): void {
    this.#isDirect = false;
    this.#journal?.startSpooling();
    const { connected } = this.#client.sink;
    this.#window.reset(connected);
    const reason = cause ?? (connected ? "client queue full" : "no broker connected");
    this.#log.warn(
      { reason, inFlight: this.#client.inFlight.count },
      "spooling started: events go to the journal",
    );
  }

  #stopSpooling(): void {
    this.#isDirect = true;
    this.#journal?.stopSpooling();
    this.#log.info({ replayed: this.#counts.replayed }, "spooling ended: events go straight to Kafka");
  }

  #scheduleReplay(): void {
    if (this.#isReplayScheduled || this.#phase !== "running") return;
    this.#isReplayScheduled = true;
    setImmediate(() => {
      this.#isReplayScheduled = false;
      if (this.#phase === "running" && !this.#isDirect && !this.#isBackingOff) this.#replay();
    });
  }

  /** Sends waiting events, oldest first, as far as the client's queue and the replay window allow. */
  #replay(): void {
    const { inFlight } = this.#client;
    for (let sent = 0; sent < REPLAY_BURST; sent++) {
      if (this.#isRewindPending && !this.#rewindWhenIdle()) return;
      if (inFlight.count >= this.#window.size) return;
      const record = this.#retained.peekFront() ?? this.#journal?.peek();
      if (record === "unreadable") {
        this.#isBackingOff = true;
        return;
      }
      if (!record) {
        this.#onCaughtUp();
        return;
      }
      try {
        if (!this.#send(record)) return;
        inFlight.add(record);
        this.#counts.replayed++;
      } catch (error) {
        const { canRetry, isFatal } = error as KafkaError;
        if (isFatal) this.#reclaim(true);
        if (isFatal || canRetry) return;
        this.#failures.add(error as KafkaError, false);
        this.#abandon(record, error as KafkaError);
      }
      if (record instanceof JournalRecord) this.#journal!.advance();
      else this.#retained.shift();
    }
    this.#scheduleReplay();
  }

  /** Every waiting event has been sent. */
  #onCaughtUp(): void {
    if (!this.#hasSkippedRecords) {
      if (this.#client.sink.connected) this.#stopSpooling();
    } else if (this.#options.rejected?.isIdle) {
      this.#isRewindPending = true;
      this.#scheduleReplay();
    }
  }

  /**
   * Rewinds once nothing is in flight. Returns false until then, and replay pauses: under a steady load something would
   * always be in flight.
   */
  #rewindWhenIdle(): boolean {
    if (this.#client.inFlight.count > 0) return false;
    this.#isRewindPending = false;
    this.#hasSkippedRecords = false;
    this.#journal?.rewind();
    return true;
  }

  // --- outcomes ---

  #createClient(): Client {
    const inFlight = new InFlightTable<InFlightEvent>();
    const sink = this.#options.createSink((ticket, error, topic, partition, offset) => {
      if (error === null) this.#onDelivered(client, ticket, topic, partition, offset);
      else this.#onFailed(client, ticket, error);
    });
    const client: Client = { sink, inFlight, hasDelivered: false };
    return client;
  }

  #onDelivered(client: Client, ticket: number, topic: string, partition: number, offset: number): void {
    client.hasDelivered = true;
    const entry = client.inFlight.remove(ticket);
    if (entry === undefined) return;
    this.#counts.delivered++;
    if (entry instanceof JournalRecord) this.#journal?.acknowledge(entry);
    else if (entry instanceof TrackedEvent) {
      if (entry.position) this.#journal?.acknowledge(entry.position);
      if (entry.onOutcome) entry.settle({ status: "stored", topic, partition, offset });
    }
    if (this.#isDirect) return;
    this.#window.grow();
    this.#scheduleReplay();
  }

  #onFailed(client: Client, ticket: number, error: KafkaError): void {
    const entry = client.inFlight.get(ticket);
    // The events of a former client were reclaimed when it was recreated.
    if (entry === undefined || client !== this.#client || this.#phase === "stopping") return;
    const isRetried = (error.canRetry || error.isFatal) && this.#journal !== undefined;
    this.#failures.add(error, isRetried);
    // Other events may be behind it in the client, and so may the one being sent at this moment.
    if (isRetried)
      this.#reclaim(
        error.isFatal || client.inFlight.count > 1 || this.#isSending,
        error.code === "timed_out",
      );
    client.inFlight.remove(ticket);
    if (isRetried) return;
    this.#abandon(entry, error);
    if (error.isFatal) this.#reclaim(true);
  }

  /** This event failed for good, or can't be retried. */
  #abandon(entry: InFlightEvent, error: KafkaError): void {
    if (entry instanceof TrackedEvent && entry.isStored)
      entry.settle(error.canRetry || error.isFatal ? UNKNOWN : this.#refuseInvalid(error));
    else if (this.#journal && this.#options.rejected)
      this.#quarantine(entry, error, this.#journal, this.#options.rejected);
    else this.#counts.lost++;
  }

  /** Writes the event to the file of rejected events. The journal keeps it until it is on disk there. */
  #quarantine(entry: InFlightEvent, error: KafkaError, journal: Journal, rejected: RejectedEvents): void {
    const event = entry instanceof TrackedEvent ? entry.event : entry;
    const position = positionOf(entry) ?? journal.appendReclaimed(event, receivedMs(event));
    if (rejected.add(event, error, () => journal.acknowledge(position))) return;
    this.#hasSkippedRecords = true;
    if (this.#isDirect) this.#startSpooling("rejected events can't be written");
  }

  // --- reclaiming ---

  /**
   * Takes back every event in flight, in the order of sending, and resends them: no event may reach Kafka before one
   * that was sent earlier and failed.
   * @param isRecreated whether to replace the client; false only when it holds nothing else that could still be sent
   * @param isStalled events got no outcome; none failed
   */
  #reclaim(isRecreated: boolean, isStalled = false): void {
    const client = this.#client;
    // Perhaps a single partition is stalled: do not let its oldest record hold up the other partitions.
    const isPartitionStall =
      isStalled && client.sink.connected && (client.hasDelivered || this.#isProbeInFlight());
    const wasDirect = this.#isDirect;
    this.#isDirect = false;
    const inFlight = client.inFlight.count;
    if (isRecreated) {
      this.#counts.clientRestarts++;
      this.#client = this.#createClient();
      void client.sink
        .close(0)
        .catch((error) => this.#log.warn({ error }, "closing the former Kafka client failed"));
    }
    const { spooled, retained } = reclaim(client.inFlight, this.#journal);
    this.#counts.spooled += spooled;
    for (const event of retained.reverse()) this.#retained.unshift(event);
    this.#journal?.rewind();
    this.#isRewindPending = false;
    this.#hasSkippedRecords = false;
    this.#window.reset(isPartitionStall);
    this.#watchdog.reset();
    this.#isBackingOff = true;
    if (wasDirect || isRecreated)
      this.#log.warn({ inFlight, isClientRecreated: isRecreated }, "in-flight events reclaimed: resending");
  }

  // --- the watchdog ---

  #tick(nowMs: number): void {
    this.#failures.flush(nowMs);
    const { sink, inFlight } = this.#client;
    const { isUnavailable, stalledMs } = this.#watchdog.check(nowMs, {
      connected: sink.connected,
      inFlight: inFlight.count,
      oldestTicket: inFlight.oldestTicket,
      hasBacklog: this.#hasBacklog(),
    });
    if (isUnavailable && this.#isDirect && this.#journal) this.#startSpooling();
    if (stalledMs !== undefined) this.#onStalled(stalledMs);
    this.#isBackingOff = false;
    if (!this.#isDirect) this.#scheduleReplay();
  }

  /** The oldest event in flight, or the backlog, has made no progress for too long. */
  #onStalled(stalledMs: number): void {
    const { sink, inFlight } = this.#client;
    if (sink.connected) {
      this.#log.error(
        { stalledMs: Math.round(stalledMs), inFlight: inFlight.count },
        "delivery stalled while connected to a broker: recreating the Kafka client",
      );
    } else if (!this.#journal || inFlight.count === 0 || this.#isProbeInFlight()) {
      // The client reconnects by itself, and its events would be no safer elsewhere.
      return;
    }
    this.#reclaim(true, true);
  }

  /** Are events waiting to be handed to the client? */
  #hasBacklog(): boolean {
    return !this.#isDirect && (this.#retained.length > 0 || this.#journal?.peek() instanceof JournalRecord);
  }

  /** Is a single record in flight, one that is safe in the journal? */
  #isProbeInFlight(): boolean {
    const { inFlight } = this.#client;
    return inFlight.count === 1 && inFlight.oldest() instanceof JournalRecord;
  }
}
