// Delivers events with the durability that their callers requested. Events go straight to
// the client while Kafka takes them. When it doesn't, all events go through the journal, in order, until replay has
// caught up. The states are in delivery-state.ts.

import { KafkaError } from "@ingest/kafka";
import { type CoreOptions, DeliveryCore } from "./core.ts";
import { DurableOutcomes } from "./durable-outcomes.ts";
import type { Journal } from "./journal/journal.ts";
import { Outcomes } from "./outcomes.ts";
import { Quarantine } from "./quarantine.ts";
import { RefusalRules } from "./refusal-rules.ts";
import type { RejectedEvents } from "./rejected-events.ts";
import { Replayer } from "./replayer.ts";
import { StallMonitor } from "./stall-monitor.ts";
import { toDeliveryState } from "./state-report.ts";
import { settleAwaited, stopDelivery } from "./stop.ts";
import { TopicLimitsCheck } from "./topic-limits.ts";
import { receivedMs, TrackedEvent } from "./tracked-event.ts";
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
  limitsCheck?: TopicLimitsCheck;
  /** How long `durable` waits for the fsync, ms. */
  durableDeadlineMs: number;
  /** Interval of the watchdog, ms. */
  tickMs?: number;
}

const ACCEPTED: AcceptOutcome = Object.freeze({ status: "accepted" });

const TICK_MS = 250;

export class JournalledDelivery implements Delivery {
  readonly #options: DeliveryOptions;
  readonly #core: DeliveryCore;
  readonly #rules: RefusalRules;
  readonly #quarantine: Quarantine;
  readonly #replayer: Replayer;
  readonly #stalls: StallMonitor;
  readonly #durableOutcomes: DurableOutcomes;
  readonly #limitsCheck: TopicLimitsCheck;
  #timer: Timer | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#core = new DeliveryCore(options);
    this.#limitsCheck = options.limitsCheck ?? new TopicLimitsCheck();
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
    const forbidden = this.#limitsCheck.refusal(event);
    if (forbidden !== undefined) return core.refusals.refuse(forbidden);
    if (!core.isDirect) return this.#enqueue(event);
    const sent = core.send(event);
    if (sent === true) {
      core.client.inFlight.add(event);
      return ACCEPTED;
    }
    if (sent !== false) return sent;
    return this.#enqueue(event);
  }

  durable(event: EncodedEvent): Promise<DurableOutcome> {
    const core = this.#core;
    const refusal = this.#rules.forDurable() ?? this.#limitsCheck.refusal(event);
    if (refusal !== undefined) return Promise.resolve(core.refusals.refuse(refusal));
    const journal = core.journal!;
    const sent = core.isDirect && core.send(event);
    if (typeof sent === "object") return Promise.resolve(sent);
    // Before it is appended: events that are reclaimed later get their place in front of it.
    if (!sent) this.#makeWait();
    const position = journal.append(event, receivedMs(event));
    if (sent) core.client.inFlight.add(TrackedEvent.journalled(event, position));
    else {
      if (core.isResending) core.resends.push(TrackedEvent.journalled(event, position));
      this.#replayer.schedule();
    }
    return this.#durableOutcomes.after(journal.commit());
  }

  stored(event: EncodedEvent, deadlineMs: number): Promise<StoredOutcome> {
    const core = this.#core;
    const forbidden = this.#limitsCheck.refusal(event);
    if (forbidden !== undefined) return Promise.resolve(core.refusals.refuse(forbidden));
    const sent = core.isDirect && core.send(event);
    if (typeof sent === "object") return Promise.resolve(sent);
    // In the journal it could be sent long after its deadline; past the journal it would overtake older events.
    const isWaiting = !sent && core.isResending && core.resends.hasRoom;
    if (!sent && !isWaiting) return Promise.resolve(this.#rules.refuseStored());
    const { promise, resolve } = Promise.withResolvers<StoredOutcome>();
    const deadline = setTimeout(() => tracked.settle(UNKNOWN), deadlineMs);
    const tracked = TrackedEvent.awaited(event, (outcome) => {
      clearTimeout(deadline);
      resolve(outcome);
    });
    if (sent) core.client.inFlight.add(tracked);
    else {
      core.resends.push(tracked);
      this.#replayer.schedule();
    }
    return promise;
  }

  refuse(): Refusal | undefined {
    if (this.#core.isDirect) return undefined;
    const code = this.#rules.whenSpooling();
    return code === undefined ? undefined : this.#core.refusals.refuse(code);
  }

  setTopicLimits(limits: TopicLimits, topic?: string): void {
    const check = this.#limitsCheck;
    const { maxBatchBytes: former } = check;
    if (topic === undefined) check.limits = limits;
    else check.byTopic.set(topic, limits);
    if (former !== check.maxBatchBytes) this.#core.closeSpares();
  }

  setTopicsMissing(areMissing: boolean): void {
    const core = this.#core;
    if (core.journal === undefined || core.isHeld === areMissing) return;
    core.isHeld = areMissing;
    core.failing = areMissing ? new KafkaError("unknown_topic", "No topic exists") : undefined;
    if (areMissing) core.startSpooling({ type: "blocked" }, "topic missing");
    else this.#replayer.schedule();
  }

  state(): DeliveryState {
    return toDeliveryState(this.#core, this.#rules.whenNotReady(), this.#quarantine.count);
  }

  settlePending(): void {
    this.#durableOutcomes.settlePending();
    settleAwaited(this.#core);
  }

  stop(budgetMs: number): Promise<StopResult> {
    clearInterval(this.#timer);
    return stopDelivery(this.#core, this.#quarantine, budgetMs);
  }

  /** The client can't take the event now: it waits in memory or in the journal. */
  #enqueue(event: EncodedEvent): AcceptOutcome {
    const core = this.#core;
    if (core.isRunning) this.#makeWait();
    const refusal = this.#rules.whenSpooling();
    if (refusal !== undefined) return core.refusals.refuse(refusal);
    if (core.isResending) core.resends.push(event);
    else {
      core.journal!.append(event, receivedMs(event));
      core.counts.spooled++;
    }
    this.#replayer.schedule();
    return ACCEPTED;
  }

  /** From now on new events wait in the journal, where there is one and memory isn't the place. */
  #makeWait(): void {
    const core = this.#core;
    if (core.journal && !(core.isResending && core.resends.hasRoom)) core.startSpooling({ type: "blocked" });
  }

  #tick(nowMs: number): void {
    const core = this.#core;
    core.failures.flush(nowMs);
    this.#stalls.check(nowMs);
    core.tick(nowMs);
    if (!core.isDirect) this.#replayer.schedule();
  }
}
