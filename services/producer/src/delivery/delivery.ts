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
import { RefusalRules } from "./refusal-rules.ts";
import type { RejectedEvents } from "./rejected-events.ts";
import { Replayer } from "./replayer.ts";
import { StallMonitor } from "./stall-monitor.ts";
import { toDeliveryState } from "./state-report.ts";
import { TopicDoor } from "./topic-limits.ts";
import { type InFlightEvent, receivedMs, TrackedEvent } from "./tracked-event.ts";
import {
  type AcceptOutcome,
  type Delivery,
  type DeliveryState,
  type DurableOutcome,
  type EncodedEvent,
  type Refusal,
  type StopResult,
  type StoredOutcome,
  type TopicLimits,
  UNKNOWN,
} from "./types.ts";

export interface DeliveryOptions extends CoreOptions {
  /** Opens the journal; absent: no journal. */
  openJournal?: () => Promise<Journal>;
  /** Where events go that Kafka rejects for good; absent without a journal. */
  rejected?: RejectedEvents;
  /** Refuses events that the topic's settings forbid. */
  door?: TopicDoor;
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
  readonly #rules: RefusalRules;
  readonly #quarantine: Quarantine;
  readonly #replayer: Replayer;
  readonly #stalls: StallMonitor;
  readonly #durableOutcomes: DurableOutcomes;
  readonly #door: TopicDoor;
  #timer: Timer | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#core = new DeliveryCore(options);
    this.#door = options.door ?? new TopicDoor(true);
    this.#rules = new RefusalRules(this.#core);
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
    const forbidden = this.#door.refusal(event);
    if (forbidden !== undefined) return core.refusals.refuse(forbidden);
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
    const refusal = this.#rules.forDurable() ?? this.#door.refusal(event);
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
    const forbidden = this.#door.refusal(event);
    if (forbidden !== undefined) return Promise.resolve(refusals.refuse(forbidden));
    // In the journal it could be sent long after its deadline; past the journal it would overtake older events.
    if (!core.isDirect) return Promise.resolve(this.#rules.refuseStored());
    const { client } = core;
    try {
      if (!client.send(event)) return Promise.resolve(this.#rules.refuseStored());
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
    const code = this.#rules.whenSpooling();
    return code === undefined ? undefined : this.#core.refusals.refuse(code);
  }

  setTopicLimits(limits: TopicLimits): void {
    this.#door.limits = limits;
  }

  state(): DeliveryState {
    return toDeliveryState(this.#core, this.#rules.whenNotReady(), this.#quarantine.count);
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
    const refusal = this.#rules.whenSpooling();
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
