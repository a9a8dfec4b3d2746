// A delivery that records the events it gets, and returns the outcomes that a test has queued.
import type {
  AcceptOutcome,
  Delivery,
  DeliveryState,
  DurableOutcome,
  EncodedEvent,
  Refusal,
  StoredOutcome,
} from "../delivery/index.ts";

export class FakeDelivery implements Pick<Delivery, "accept" | "durable" | "stored" | "refuse" | "state"> {
  readonly taken: EncodedEvent[] = [];
  /** Outcomes of the next calls, in turn. When the queue is empty, the event is taken. */
  readonly acceptOutcomes: AcceptOutcome[] = [];
  readonly durableOutcomes: DurableOutcome[] = [];
  readonly storedOutcomes: StoredOutcome[] = [];
  /** Returned by `refuse`. */
  refusal: Refusal | undefined;
  isReady = true;
  isConnected = true;

  accept(event: EncodedEvent): AcceptOutcome {
    const outcome = this.acceptOutcomes.shift() ?? { status: "accepted" };
    if (outcome.status !== "refused") this.taken.push(event);
    return outcome;
  }

  async durable(event: EncodedEvent): Promise<DurableOutcome> {
    const outcome = this.durableOutcomes.shift() ?? { status: "durable" };
    if (outcome.status !== "refused") this.taken.push(event);
    return outcome;
  }

  async stored(event: EncodedEvent): Promise<StoredOutcome> {
    const outcome = this.storedOutcomes.shift() ?? {
      status: "stored",
      topic: "events",
      partition: 2,
      offset: this.taken.length,
    };
    if (outcome.status === "stored") this.taken.push(event);
    return outcome;
  }

  refuse(): Refusal | undefined {
    return this.refusal;
  }

  state(): DeliveryState {
    return {
      ready: this.isReady,
      ...(this.isReady ? {} : { refusal: "kafka_unavailable" as const }),
      connected: this.isConnected,
      spooling: false,
      inFlight: 0,
      counts: {
        delivered: this.taken.length,
        failed: { timed_out: 1 },
        refused: { queue_full: 2 },
        lost: 0,
        rejected: 0,
        spooled: 0,
        replayed: 0,
        corrupt: 0,
        fsyncs: 0,
        fsyncFailures: 0,
        clientRestarts: 0,
      },
    };
  }

  /** The parsed values of the events taken. */
  get events(): Record<string, unknown>[] {
    return this.taken.map(({ value }) => JSON.parse(value.toString()) as Record<string, unknown>);
  }
}
