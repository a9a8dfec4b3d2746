// Delivers events with the durability that their callers requested. Events go straight to the client while Kafka takes them; once it doesn't, everything
// goes through the journal, in order, until the journal has caught up.

import type { KafkaError } from "@ingest/kafka";
import type { Log } from "@ingest/service";
import { DurableAnswers } from "./durable-answers.ts";
import { FailureLog } from "./failure-log.ts";
import { Fifo } from "./fifo.ts";
import { type Entry, Flight, type Kept, receivedMs } from "./flight.ts";
import { InFlight } from "./in-flight.ts";
import { JournalRecord } from "./journal/cursor.ts";
import type { Journal } from "./journal/journal.ts";
import { RefusalCounter } from "./refusals.ts";
import type { RejectedEvents } from "./rejected.ts";
import { ReplayWindow } from "./replay-window.ts";
import type { Sendable, Sink, SinkFactory } from "./sink.ts";
import { takeOut } from "./take-out.ts";
import {
  type Acceptance,
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
  /** Opens the journal; absent when there is to be none. */
  openJournal?: () => Promise<Journal>;
  /** Takes what Kafka refuses for good; absent without a journal. */
  rejected?: RejectedEvents;
  /** An event without outcome for this long is taken back, with all behind it, ms. */
  stallMs: number;
  /** How long `durable` waits for the disk, ms. */
  durableDeadlineMs: number;
  log: Log;
  /** How often the state of affairs is looked at, ms. */
  tickMs?: number;
  /** The clock that stalls are measured by, ms. */
  now?: () => number;
}

/** One client with what was handed to it. */
interface Client {
  readonly sink: Sink;
  readonly inFlight: InFlight<Entry>;
  /** Kafka took something from it. */
  hasDelivered: boolean;
}

const ACCEPTED: Acceptance = Object.freeze({ status: "accepted" });

const TICK_MS = 250;
/** Records handed over before others get a turn. */
const REPLAY_BURST = 1_000;
/** Of the time to stop, what may go into flushing; the rest is for the journal and the client's end. */
const FLUSH_SHARE = 0.7;

export class JournalledDelivery implements Delivery {
  readonly #options: DeliveryOptions;
  readonly #log: Log;
  readonly #refusals = new RefusalCounter();
  readonly #failures: FailureLog;
  readonly #durableAnswers: DurableAnswers;
  readonly #watchdog: Watchdog;
  readonly #window = new ReplayWindow();
  readonly #counts = { delivered: 0, lost: 0, spooled: 0, replayed: 0, clientRestarts: 0 };
  readonly #now: () => number;
  #journal: Journal | undefined;
  #client: Client;
  /** Events may go straight to the client: nothing older is waiting anywhere. */
  #isDirect = false;
  #phase: "new" | "running" | "stopping" = "new";
  /** Without a journal, what a client that was given up held: it goes first. */
  readonly #held = new Fifo<Kept>();
  #timer: Timer | undefined;
  #isReplayScheduled = false;
  #isHandingOver = false;
  /** Records that Kafka refuses and that couldn't be set aside: they are sent once more when they can. */
  #hasLeftBehind = false;
  /** What is in flight ends first, then replay goes back to what was left behind. */
  #isGoingBack = false;
  /** Something failed just now: the next try is at the next tick, for it may fail as fast again. */
  #isResting = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#now = options.now ?? performance.now.bind(performance);
    this.#failures = new FailureLog(options.log);
    this.#durableAnswers = new DurableAnswers(options.durableDeadlineMs);
    this.#watchdog = new Watchdog(options.stallMs);
    this.#client = this.#newClient();
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

  accept(event: EncodedEvent): Acceptance {
    if (!this.#isDirect) return this.#spool(event);
    try {
      if (this.#handOver(event)) {
        this.#client.inFlight.add(event);
        return ACCEPTED;
      }
    } catch (error) {
      const refusal = this.#onThrown(error as KafkaError);
      if (refusal) return refusal;
    }
    if (!this.#journal) return this.#refusals.refuse(this.#whyFull());
    if (this.#isDirect) this.#beginSpool();
    return this.#spool(event);
  }

  durable(event: EncodedEvent): Promise<DurableOutcome> {
    const refusal = this.#journalRefusal();
    if (refusal !== undefined) return Promise.resolve(this.#refusals.refuse(refusal));
    const journal = this.#journal!;
    if (this.#isDirect) {
      try {
        if (this.#handOver(event))
          this.#client.inFlight.add(Flight.journalled(event, journal.append(event, receivedMs(event))));
        else if (this.#isDirect) this.#beginSpool();
      } catch (error) {
        const refusal = this.#onThrown(error as KafkaError);
        if (refusal) return Promise.resolve(refusal);
      }
    }
    if (!this.#isDirect) {
      journal.append(event, receivedMs(event));
      this.#scheduleReplay();
    }
    return this.#durableAnswers.after(journal.commit());
  }

  stored(event: EncodedEvent, deadlineMs: number): Promise<StoredOutcome> {
    if (this.#phase !== "running") return Promise.resolve(this.#refusals.refuse("shutting_down"));
    // Behind a backlog it could be sent long after its deadline, before it older events would be overtaken.
    if (!this.#isDirect) return Promise.resolve(this.#refusals.refuse(this.#whyFull()));
    const { promise, resolve } = Promise.withResolvers<StoredOutcome>();
    try {
      if (!this.#handOver(event)) return Promise.resolve(this.#refusals.refuse(this.#whyFull()));
    } catch (error) {
      return Promise.resolve(
        this.#onThrown(error as KafkaError) ?? this.#refusals.refuse("kafka_unavailable"),
      );
    }
    const deadline = setTimeout(() => flight.settle(UNKNOWN), deadlineMs);
    const flight = Flight.awaited(event, (outcome) => {
      clearTimeout(deadline);
      resolve(outcome);
    });
    this.#client.inFlight.add(flight);
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
      inFlight: inFlight.count + this.#held.length,
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

  answerWaiting(): void {
    this.#durableAnswers.giveUp();
    for (const [, entry] of this.#client.inFlight.entries())
      if (entry instanceof Flight) entry.settle(UNKNOWN);
  }

  async stop(budgetMs: number): Promise<StopResult> {
    const deadline = performance.now() + budgetMs;
    this.#phase = "stopping";
    this.#isDirect = false;
    clearInterval(this.#timer);
    const { sink, inFlight } = this.#client;
    if (sink.connected && inFlight.count > 0) await sink.flush(budgetMs * FLUSH_SHARE);
    const { spooled, unkept } = takeOut(this.#client.inFlight, this.#journal);
    this.#counts.spooled += spooled;
    this.#counts.lost += unkept.length + this.#held.length;
    // Outcomes that come in yet still release what is in the journal.
    await sink.close(Math.max(0, (deadline - performance.now()) / 2));
    this.#failures.say(performance.now(), true);
    await this.#options.rejected?.close();
    const left = await this.#journal?.close();
    return { journalled: left?.kept ?? 0, lost: this.#counts.lost + (left?.lost ?? 0) };
  }

  /**
   * Gives a record to the client; the caller adds it to what is in flight.
   * False: not now, or the client failed on an earlier record meanwhile and was given up with all it had.
   */
  #handOver(record: Sendable): boolean {
    const client = this.#client;
    this.#isHandingOver = true;
    try {
      return client.sink.send(record, client.inFlight.nextTicket) && client === this.#client;
    } finally {
      this.#isHandingOver = false;
    }
  }

  // --- refusing ---

  #refusal(): RefusalCode | undefined {
    if (!this.#isDirect) return this.#spoolRefusal();
    if (this.#client.sink.connected) return undefined;
    return this.#journal ? this.#journal.refusal : "kafka_unavailable";
  }

  /** While events can't go straight to the client. */
  #spoolRefusal(): RefusalCode | undefined {
    if (this.#phase !== "running") return "shutting_down";
    return this.#journal ? this.#journal.refusal : this.#whyFull();
  }

  #journalRefusal(): RefusalCode | undefined {
    if (this.#phase !== "running") return "shutting_down";
    return this.#journal ? this.#journal.refusal : "journal_unavailable";
  }

  #whyFull(): RefusalCode {
    return this.#client.sink.connected ? "queue_full" : "kafka_unavailable";
  }

  #refuseRecord(error: KafkaError): Refusal {
    return this.#refusals.refuse(error.code === "message_too_large" ? "too_large" : "kafka_unavailable");
  }

  /** The client threw instead of taking an event. @returns nothing when the event may go to the journal */
  #onThrown(error: KafkaError): Refusal | undefined {
    if (error.isFatal) this.#takeBack(true);
    else if (!error.canRetry) return this.#refuseRecord(error);
    else if (this.#isDirect && this.#journal) this.#beginSpool();
    return undefined;
  }

  // --- the journal in front of the client ---

  #spool(event: EncodedEvent): Acceptance {
    const refusal = this.#spoolRefusal();
    if (refusal !== undefined) return this.#refusals.refuse(refusal);
    this.#journal!.append(event, receivedMs(event));
    this.#counts.spooled++;
    this.#scheduleReplay();
    return ACCEPTED;
  }

  #beginSpool(why?: string): void {
    this.#isDirect = false;
    this.#journal?.beginSpool();
    const { connected } = this.#client.sink;
    this.#window.reset(connected);
    const reason = why ?? (connected ? "the client's queue is full" : "no broker can be reached");
    this.#log.warn({ reason, inFlight: this.#client.inFlight.count }, "spooling: events go to the journal");
  }

  #endSpool(): void {
    this.#isDirect = true;
    this.#journal?.endSpool();
    this.#log.info(
      { replayed: this.#counts.replayed },
      "the journal has caught up: events go to Kafka directly",
    );
  }

  #scheduleReplay(): void {
    if (this.#isReplayScheduled || this.#phase !== "running") return;
    this.#isReplayScheduled = true;
    setImmediate(() => {
      this.#isReplayScheduled = false;
      if (this.#phase === "running" && !this.#isDirect && !this.#isResting) this.#replay();
    });
  }

  /** Hands over what waits, oldest first, as far as the client and the window go. */
  #replay(): void {
    const { inFlight } = this.#client;
    for (let handed = 0; handed < REPLAY_BURST; handed++) {
      if (this.#isGoingBack && !this.#goBack()) return;
      if (inFlight.count >= this.#window.size) return;
      const record = this.#held.peek() ?? this.#journal?.peek();
      if (record === "unreadable") {
        this.#isResting = true;
        return;
      }
      if (!record) {
        this.#onCaughtUp();
        return;
      }
      try {
        if (!this.#handOver(record)) return;
        inFlight.add(record);
        this.#counts.replayed++;
      } catch (error) {
        const { canRetry, isFatal } = error as KafkaError;
        if (isFatal) this.#takeBack(true);
        if (isFatal || canRetry) return;
        this.#failures.note(error as KafkaError, false);
        this.#giveUp(record, error as KafkaError);
      }
      if (record instanceof JournalRecord) this.#journal!.advance();
      else this.#held.shift();
    }
    this.#scheduleReplay();
  }

  /** Everything that waited has been handed over. */
  #onCaughtUp(): void {
    if (!this.#hasLeftBehind) {
      if (this.#client.sink.connected) this.#endSpool();
    } else if (this.#options.rejected?.isIdle) {
      this.#isGoingBack = true;
      this.#scheduleReplay();
    }
  }

  /** Nothing new is handed over until nothing is in flight: under a steady load that moment would never come. */
  #goBack(): boolean {
    if (this.#client.inFlight.count > 0) return false;
    this.#isGoingBack = false;
    this.#hasLeftBehind = false;
    this.#journal?.rewind();
    return true;
  }

  // --- outcomes ---

  #newClient(): Client {
    const inFlight = new InFlight<Entry>();
    const sink = this.#options.createSink((ticket, error, topic, partition, offset) => {
      if (error === null) this.#onDelivered(client, ticket, topic, partition, offset);
      else this.#onFailed(client, ticket, error);
    });
    const client: Client = { sink, inFlight, hasDelivered: false };
    return client;
  }

  #onDelivered(client: Client, ticket: number, topic: string, partition: number, offset: number): void {
    client.hasDelivered = true;
    const entry = client.inFlight.take(ticket);
    if (entry === undefined) return;
    this.#counts.delivered++;
    if (entry instanceof JournalRecord) this.#journal?.acknowledge(entry);
    else if (entry instanceof Flight) {
      if (entry.position) this.#journal?.acknowledge(entry.position);
      if (entry.waiter) entry.settle({ status: "stored", topic, partition, offset });
    }
    if (this.#isDirect) return;
    this.#window.grow();
    this.#scheduleReplay();
  }

  #onFailed(client: Client, ticket: number, error: KafkaError): void {
    const entry = client.inFlight.get(ticket);
    // What a former client held was taken back when it was given up.
    if (entry === undefined || client !== this.#client || this.#phase === "stopping") return;
    const isMendable = error.canRetry || error.isFatal;
    const isKept = isMendable && this.#journal !== undefined;
    this.#failures.note(error, isKept);
    // Behind it may be others, or the one that is being handed over this moment.
    if (isKept)
      this.#takeBack(
        error.isFatal || client.inFlight.count > 1 || this.#isHandingOver,
        error.code === "timed_out",
      );
    client.inFlight.take(ticket);
    if (isKept) return;
    this.#giveUp(entry, error);
    if (error.isFatal) this.#takeBack(true);
  }

  /** No way to bring this one to Kafka. */
  #giveUp(entry: Entry, error: KafkaError): void {
    if (entry instanceof Flight && entry.isStored)
      entry.settle(error.canRetry || error.isFatal ? UNKNOWN : this.#refuseRecord(error));
    else if (this.#journal && this.#options.rejected)
      this.#setAside(entry, error, this.#journal, this.#options.rejected);
    else this.#counts.lost++;
  }

  /** The journal keeps the event until the file of the rejected ones does. */
  #setAside(entry: Entry, error: KafkaError, journal: Journal, rejected: RejectedEvents): void {
    const event = entry instanceof Flight ? entry.event : entry;
    const known =
      entry instanceof Flight ? entry.position : entry instanceof JournalRecord ? entry : undefined;
    const position = known ?? journal.putBack(event, receivedMs(event));
    if (rejected.add(event, error, () => journal.acknowledge(position))) return;
    this.#hasLeftBehind = true;
    if (this.#isDirect) this.#beginSpool("rejected events can't be set aside");
  }

  // --- taking back ---

  /**
   * Kafka doesn't take what the client holds. All of it goes back in line in the order in which it was handed over:
   * nothing behind a failed event may get there before it.
   * @param isClientGivenUp false only when the client holds nothing else that could still be sent
   * @param isSlow nothing was refused, it only stands still
   */
  #takeBack(isClientGivenUp: boolean, isSlow = false): void {
    const client = this.#client;
    // It may be one partition that stands still: the others' records are let past its oldest.
    const isPartial = isSlow && client.sink.connected && (client.hasDelivered || this.#isProbing());
    const wasDirect = this.#isDirect;
    this.#isDirect = false;
    const held = client.inFlight.count;
    if (isClientGivenUp) {
      this.#counts.clientRestarts++;
      this.#client = this.#newClient();
      void client.sink
        .close(0)
        .catch((error) => this.#log.warn({ error }, "a client that was given up can't be closed"));
    }
    const { spooled, unkept } = takeOut(client.inFlight, this.#journal);
    this.#counts.spooled += spooled;
    for (const event of [...unkept, ...this.#held.takeAll()]) this.#held.push(event);
    this.#journal?.rewind();
    this.#isGoingBack = false;
    this.#hasLeftBehind = false;
    this.#window.reset(isPartial);
    this.#watchdog.reset();
    this.#isResting = true;
    const message = "took back what the client held: it is sent again from the journal";
    if (wasDirect || isClientGivenUp) this.#log.warn({ held, isClientGivenUp }, message);
  }

  // --- the watchdog ---

  #tick(nowMs: number): void {
    this.#failures.say(nowMs);
    const { sink, inFlight } = this.#client;
    const { isAway, stalledMs } = this.#watchdog.look(nowMs, {
      connected: sink.connected,
      inFlight: inFlight.count,
      oldestTicket: inFlight.oldestTicket,
      isWaiting: this.#isWaiting(),
    });
    if (isAway && this.#isDirect && this.#journal) this.#beginSpool();
    if (stalledMs !== undefined) this.#onStalled(stalledMs);
    this.#isResting = false;
    if (!this.#isDirect) this.#scheduleReplay();
  }

  /** The oldest event in flight, or what waits for the client, hasn't moved for too long. */
  #onStalled(stalledMs: number): void {
    const { sink, inFlight } = this.#client;
    if (sink.connected) {
      this.#log.error(
        { stalledMs: Math.round(stalledMs), inFlight: inFlight.count },
        "connected to a broker, but nothing is delivered: making the client anew",
      );
    } else if (!this.#journal || inFlight.count === 0 || this.#isProbing()) {
      // The client connects again by itself, and nothing it holds would be safer elsewhere.
      return;
    }
    this.#takeBack(true, true);
  }

  /** Is there something that the client hasn't taken? */
  #isWaiting(): boolean {
    return !this.#isDirect && (this.#held.length > 0 || this.#journal?.peek() instanceof JournalRecord);
  }

  /** Is the only thing in flight a record that is safe in the journal? */
  #isProbing(): boolean {
    const { inFlight } = this.#client;
    return inFlight.count === 1 && inFlight.oldest() instanceof JournalRecord;
  }
}
