// What the parts of delivery share: the state, the client, the journal, and the counters.

import type { KafkaError } from "@ingest/kafka";
import type { Log } from "@ingest/service";
import { Client, type OutcomeListener } from "./client.ts";
import { NEW, type State, type StateEvent, transition } from "./delivery-state.ts";
import { FailureLog } from "./failure-log.ts";
import type { Journal } from "./journal/journal.ts";
import { reclaim } from "./reclaim.ts";
import { RefusalCounter } from "./refusals.ts";
import { judge, type RefusedRecord } from "./refused-batch.ts";
import { ReplayWindow } from "./replay-window.ts";
import { ResendQueue } from "./resend-queue.ts";
import type { SinkFactory } from "./sink.ts";
import { SpareClients } from "./spare-clients.ts";
import type { InFlightEvent } from "./tracked-event.ts";
import type { EncodedEvent, Refusal, RefusalCode } from "./types.ts";
import { Watchdog } from "./watchdog.ts";

export interface CoreOptions {
  createSink: SinkFactory;
  /** When an event has no outcome after this time, it is reclaimed with all events behind it, ms. */
  stallMs: number;
  log: Log;
  /** Monotonic clock, ms. */
  now?: () => number;
}

export interface ReclaimOptions {
  /** Replace the client. False only when it holds nothing else that could still be sent. */
  isRecreated: boolean;
  /** Events got no outcome; none failed. */
  isStalled?: boolean;
  /** Nothing is sent for so long, ms; at least until the next tick. */
  pauseMs?: number;
}

export class DeliveryCore {
  readonly log: Log;
  readonly now: () => number;
  readonly refusals = new RefusalCounter();
  readonly failures: FailureLog;
  readonly watchdog: Watchdog;
  readonly window = new ReplayWindow();
  readonly counts = { delivered: 0, lost: 0, spooled: 0, replayed: 0, clientRestarts: 0 };
  /** Events that are sent from memory, before any in the journal. */
  readonly resends = new ResendQueue();
  /** Events in `resends` or in flight that are sent alone: one of them is at fault, or several. */
  readonly suspects = new Set<InFlightEvent>();
  state: State = NEW;
  /** Nothing is sent from the journal: every topic is missing. */
  isHeld = false;
  journal: Journal | undefined;
  client: Client;
  /** The failure of the latest delivery; undefined when that succeeded. */
  failing: KafkaError | undefined;
  /** Gets the outcomes. Set before the first event is sent. */
  listener: OutcomeListener | undefined;
  readonly #createSink: SinkFactory;
  readonly #spares = new SpareClients(
    () => this.#newClient(),
    (client) => this.#close(client),
  );

  constructor({ createSink, stallMs, log, now }: CoreOptions) {
    this.#createSink = createSink;
    this.log = log;
    this.now = now ?? performance.now.bind(performance);
    this.failures = new FailureLog(log);
    this.watchdog = new Watchdog(stallMs);
    this.client = this.#newClient();
  }

  get isDirect(): boolean {
    return this.state.name === "direct";
  }

  /** Do new events wait in memory behind those that are sent again? */
  get isResending(): boolean {
    return this.state.name === "resending" || (this.state.name === "draining" && !this.state.isSpooling);
  }

  /** Do new events wait in the journal behind older ones? */
  get isSpooling(): boolean {
    return this.state.name === "spooling" || (this.state.name === "draining" && this.state.isSpooling);
  }

  get isRunning(): boolean {
    return this.state.name !== "new" && this.state.name !== "stopping";
  }

  apply(event: StateEvent): void {
    this.state = transition(this.state, event);
  }

  /**
   * Hands an event to the client; the caller then adds it to the in-flight table.
   * @returns false: not now. A refusal: never as it is
   */
  send(event: EncodedEvent): boolean | Refusal {
    try {
      return this.client.send(event);
    } catch (thrown) {
      const error = thrown as KafkaError;
      if (error.isFatal) this.onStopped();
      else if (error.fault === "record") return this.refusals.refuseFor(error);
      return false;
    }
  }

  /** The client takes no more events, ever. Those in flight may have outcomes that it has not reported yet. */
  onStopped(): void {
    if (this.client.inFlight.count === 0) this.reclaim({ isRecreated: true });
    else this.apply({ type: "batch_refused", nowMs: this.now() });
  }

  /** Events can't go straight to the client any more: from now on they wait in the journal. */
  startSpooling(event: StateEvent, cause?: string): void {
    const wasSpooling = this.isSpooling;
    this.apply(event);
    if (wasSpooling || !this.isSpooling) return;
    this.journal?.startSpooling();
    const { connected } = this.client.sink;
    this.window.reset(connected);
    const reason = cause ?? (connected ? "client queue full" : "no broker connected");
    this.log.warn(
      { reason, inFlight: this.client.inFlight.count },
      "spooling started: events go to the journal",
    );
  }

  /** Why the client takes no event. */
  get queueRefusal(): RefusalCode {
    return this.client.sink.connected ? "queue_full" : "kafka_unavailable";
  }

  /** Are events waiting to be handed to the client? */
  get hasBacklog(): boolean {
    return this.resends.length > 0 || (this.isSpooling && typeof this.journal?.peek() === "object");
  }

  /**
   * Takes back every event in flight, in the order of sending, and sends them again: no event may reach Kafka before one
   * that was sent earlier and failed.
   */
  reclaim({ isRecreated, isStalled = false, pauseMs = 0 }: ReclaimOptions): void {
    const { client } = this;
    // Perhaps a single partition is stalled: do not let its oldest record hold up the other partitions.
    const isPartitionStall = isStalled && client.sink.connected && (client.hasDelivered || client.isProbing);
    const wasSpooling = this.isSpooling;
    const inFlight = client.inFlight.count;
    this.apply({ type: "reclaimed", nowMs: this.now(), pauseMs });
    if (isRecreated) this.#replaceClient(this.#newClient());
    this.suspects.clear();
    this.counts.spooled += reclaim(client.inFlight, this.resends, this.journal);
    this.journal?.rewind();
    this.window.reset(isPartitionStall);
    this.watchdog.reset();
    if (!wasSpooling || isRecreated)
      this.log.warn({ inFlight, isClientRecreated: isRecreated }, "in-flight events reclaimed: resending");
  }

  /**
   * After a refusal, once the events in flight have their outcomes: another client sends those that were not stored again.
   * @returns the records that are at fault; they are not sent again
   */
  resendApart(): [InFlightEvent, RefusedRecord][] {
    const { client, now } = this;
    const { inFlight, failed, refused } = client;
    const { guilty, suspects, hasUnexplained } = judge(refused, inFlight.count <= failed);
    const found = guilty.map((record): [InFlightEvent, RefusedRecord] => [
      inFlight.remove(record.ticket)!,
      record,
    ]);
    for (const [entry] of found) this.suspects.delete(entry);
    for (const { ticket } of suspects) this.suspects.add(inFlight.get(ticket)!);
    this.resends.prepend([...inFlight.entries()].map(([, entry]) => entry));
    this.#replaceClient(this.#spares.take(now()));
    // One event at first when any may be at fault, so that a refusal of it means no other.
    this.window.reset(refused.length > 0 && !hasUnexplained);
    this.watchdog.reset();
    this.apply({ type: "drained" });
    return found;
  }

  /** The spare clients have settings that are no longer right. */
  closeSpares(): void {
    this.#spares.closeAll();
  }

  tick(nowMs: number): void {
    this.#spares.tick(nowMs);
    this.apply({ type: "tick", nowMs });
  }

  #replaceClient(next: Client): void {
    const former = this.client;
    former.isReplaced = true;
    this.counts.clientRestarts++;
    this.client = next;
    this.#close(former);
  }

  #close({ sink }: Client): void {
    void sink.close(0).catch((error) => this.log.warn({ error }, "closing the former Kafka client failed"));
  }

  #newClient(): Client {
    return new Client(this.#createSink, this);
  }
}
