// Delivers events with the durability that their callers requested. Events go straight to
// the client while Kafka takes them. When it doesn't, all events go through the journal, in order, until replay has
// caught up. The states are in delivery-state.ts.

import type { KafkaError } from "@ingest/kafka";
import { type CoreOptions, DeliveryCore } from "./core.ts";
import { DurableOutcomes } from "./durable-outcomes.ts";
import type { Journal } from "./journal/journal.ts";
import { Outcomes } from "./outcomes.ts";
import { Quarantine } from "./quarantine.ts";
import { reclaim } from "./reclaim.ts";
import type { RejectedEvents } from "./rejected-events.ts";
import { Replayer } from "./replayer.ts";
import { StallMonitor } from "./stall-monitor.ts";
import { type InFlightEvent, receivedMs, TrackedEvent } from "./tracked-event.ts";
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

export interface DeliveryOptions extends CoreOptions {
  /** Opens the journal; absent: no journal. */
  openJournal?: () => Promise<Journal>;
  /** Where events go that Kafka rejects for good; absent without a journal. */
  rejected?: RejectedEvents;
  /** How long `durable` waits for the fsync, ms. */
  durableDeadlineMs: number;
  /** Interval of the watchdog, ms. */
  tickMs?: number;
}

const ACCEPTED: AcceptOutcome = Object.freeze({ status: "accepted" });

const TICK_MS = 250;
/** Share of the stop budget for flushing; the rest is for the journal and for closing the client. */
const FLUSH_SHARE = 0.7;

export class JournalledDelivery implements Delivery {
  readonly #options: DeliveryOptions;
  readonly #core: DeliveryCore;
  readonly #quarantine: Quarantine;
  readonly #replayer: Replayer;
  readonly #stalls: StallMonitor;
  readonly #durableOutcomes: DurableOutcomes;
  #timer: Timer | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#core = new DeliveryCore(options);
    this.#quarantine = new Quarantine(this.#core, options.rejected);
    this.#replayer = new Replayer(this.#core, this.#quarantine);
    this.#stalls = new StallMonitor(this.#core);
    this.#durableOutcomes = new DurableOutcomes(options.durableDeadlineMs);
    this.#core.listener = new Outcomes(this.#core, this.#replayer, this.#quarantine);
  }

  async start(): Promise<void> {
    const core = this.#core;
    try {
      core.journal = await this.#options.openJournal?.();
    } catch (error) {
      await core.client.sink.close(0);
      throw error;
    }
    core.apply({ type: "started", hasBacklog: core.journal?.peek() !== undefined });
    this.#timer = setInterval(() => this.#tick(core.now()), this.#options.tickMs ?? TICK_MS);
  }

  journalTopics(): string[] {
    return this.#core.journal?.topics ?? [];
  }

  accept(event: EncodedEvent): AcceptOutcome {
    const core = this.#core;
    if (!core.isDirect) return this.#spool(event);
    const { client } = core;
    try {
      if (client.send(event)) {
        client.inFlight.add(event);
        return ACCEPTED;
      }
    } catch (error) {
      const refusal = this.#onSendError(error as KafkaError);
      if (refusal) return refusal;
    }
    if (!core.journal) return core.refusals.refuse(core.queueRefusal);
    if (core.isDirect) core.startSpooling({ type: "blocked" });
    return this.#spool(event);
  }

  durable(event: EncodedEvent): Promise<DurableOutcome> {
    const core = this.#core;
    const refusal = this.#journalRefusal();
    if (refusal !== undefined) return Promise.resolve(core.refusals.refuse(refusal));
    const journal = core.journal!;
    let isSent = false;
    if (core.isDirect) {
      const { client } = core;
      try {
        isSent = client.send(event);
        if (isSent)
          client.inFlight.add(TrackedEvent.journalled(event, journal.append(event, receivedMs(event))));
        else if (core.isDirect) core.startSpooling({ type: "blocked" });
      } catch (error) {
        const refusal = this.#onSendError(error as KafkaError);
        if (refusal) return Promise.resolve(refusal);
      }
    }
    if (!isSent) {
      journal.append(event, receivedMs(event));
      this.#replayer.schedule();
    }
    return this.#durableOutcomes.after(journal.commit());
  }

  stored(event: EncodedEvent, deadlineMs: number): Promise<StoredOutcome> {
    const core = this.#core;
    const { refusals } = core;
    if (!core.isRunning) return Promise.resolve(refusals.refuse("shutting_down"));
    // In the journal it could be sent long after its deadline; past the journal it would overtake older events.
    if (!core.isDirect) return Promise.resolve(this.#refuseStored());
    const { client } = core;
    try {
      if (!client.send(event)) return Promise.resolve(this.#refuseStored());
    } catch (error) {
      return Promise.resolve(this.#onSendError(error as KafkaError) ?? refusals.refuse("kafka_unavailable"));
    }
    const { promise, resolve } = Promise.withResolvers<StoredOutcome>();
    const deadline = setTimeout(() => tracked.settle(UNKNOWN), deadlineMs);
    const tracked = TrackedEvent.awaited(event, (outcome) => {
      clearTimeout(deadline);
      resolve(outcome);
    });
    client.inFlight.add(tracked);
    return promise;
  }

  refuse(): Refusal | undefined {
    if (this.#core.isDirect) return undefined;
    const code = this.#spoolRefusal();
    return code === undefined ? undefined : this.#core.refusals.refuse(code);
  }

  state(): DeliveryState {
    const { journal, client, resends, failing, failures, refusals, counts } = this.#core;
    const refusal = this.#refusal();
    return {
      ready: refusal === undefined,
      ...(refusal === undefined ? {} : { refusal }),
      connected: client.sink.connected,
      ...(failing ? { failing: { code: failing.code, meaning: failing.meaning } } : {}),
      spooling: this.#core.isRunning && !this.#core.isDirect,
      inFlight: client.inFlight.count + resends.length,
      ...(journal ? { journal: journal.state() } : {}),
      counts: {
        ...counts,
        failed: failures.counts,
        refused: refusals.counts,
        rejected: this.#quarantine.count,
        corrupt: journal?.corrupt ?? 0,
        fsyncs: journal?.fsyncs ?? 0,
        fsyncFailures: journal?.fsyncFailures ?? 0,
      },
    };
  }

  settlePending(): void {
    this.#durableOutcomes.settlePending();
    const settle = (entry: InFlightEvent) => {
      if (entry instanceof TrackedEvent) entry.settle(UNKNOWN);
    };
    for (const [, entry] of this.#core.client.inFlight.entries()) settle(entry);
    for (const entry of this.#core.resends.toArray()) settle(entry);
  }

  async stop(budgetMs: number): Promise<StopResult> {
    const core = this.#core;
    const { resends, journal, counts } = core;
    const deadline = performance.now() + budgetMs;
    core.apply({ type: "stopped" });
    clearInterval(this.#timer);
    const { sink, inFlight } = core.client;
    if (sink.connected && inFlight.count > 0) await sink.flush(budgetMs * FLUSH_SHARE);
    counts.spooled += reclaim(inFlight, resends, journal);
    counts.lost += resends.length;
    // Confirmations that arrive until then still acknowledge journal records.
    await sink.close(Math.max(0, (deadline - performance.now()) / 2));
    core.failures.flush(performance.now(), true);
    await this.#quarantine.close();
    const closed = await journal?.close();
    return { journalled: closed?.kept ?? 0, lost: counts.lost + (closed?.lost ?? 0) };
  }

  #refusal(): RefusalCode | undefined {
    const { journal, client, isDirect } = this.#core;
    if (!isDirect) return this.#spoolRefusal();
    if (journal?.isDetached) return "journal_unavailable";
    if (client.sink.connected) return undefined;
    return journal ? journal.refusal : "kafka_unavailable";
  }

  /** Why no event can be taken, while events can't go straight to the client. */
  #spoolRefusal(): RefusalCode | undefined {
    const { isRunning, journal, queueRefusal } = this.#core;
    if (!isRunning) return "shutting_down";
    return journal ? journal.refusal : queueRefusal;
  }

  #journalRefusal(): RefusalCode | undefined {
    const { isRunning, journal } = this.#core;
    if (!isRunning) return "shutting_down";
    return journal ? journal.refusal : "journal_unavailable";
  }

  /** For a `stored` event that would have to wait; names the setting that older events wait for. */
  #refuseStored(): Refusal {
    const { failing, refusals, queueRefusal } = this.#core;
    return failing?.fault === "setting" ? refusals.refuseFor(failing) : refusals.refuse(queueRefusal);
  }

  /** The client threw on an event. @returns undefined when the event may go to the journal instead */
  #onSendError(error: KafkaError): Refusal | undefined {
    const core = this.#core;
    if (error.isFatal) core.reclaim({ isRecreated: true });
    else if (error.fault === "record") return core.refusals.refuseFor(error);
    else if (core.isDirect && core.journal) core.startSpooling({ type: "blocked" });
    return undefined;
  }

  #spool(event: EncodedEvent): AcceptOutcome {
    const { refusals, journal, counts } = this.#core;
    const refusal = this.#spoolRefusal();
    if (refusal !== undefined) return refusals.refuse(refusal);
    journal!.append(event, receivedMs(event));
    counts.spooled++;
    this.#replayer.schedule();
    return ACCEPTED;
  }

  #tick(nowMs: number): void {
    const core = this.#core;
    core.failures.flush(nowMs);
    this.#stalls.check(nowMs);
    core.apply({ type: "tick", nowMs });
    if (!core.isDirect) this.#replayer.schedule();
  }
}
