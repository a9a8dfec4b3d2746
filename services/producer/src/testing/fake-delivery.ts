// A delivery that keeps what it is given, and answers as it is told.
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
  /** What the next events are answered with, in turn; when there is none left: taken. */
  readonly acceptances: AcceptOutcome[] = [];
  readonly durables: DurableOutcome[] = [];
  readonly outcomes: StoredOutcome[] = [];
  /** What is refused before it is read. */
  refusal: Refusal | undefined;
  isReady = true;
  isConnected = true;

  accept(event: EncodedEvent): AcceptOutcome {
    const acceptance = this.acceptances.shift() ?? { status: "accepted" };
    if (acceptance.status !== "refused") this.taken.push(event);
    return acceptance;
  }

  async durable(event: EncodedEvent): Promise<DurableOutcome> {
    const outcome = this.durables.shift() ?? { status: "durable" };
    if (outcome.status !== "refused") this.taken.push(event);
    return outcome;
  }

  async stored(event: EncodedEvent): Promise<StoredOutcome> {
    const outcome = this.outcomes.shift() ?? {
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

  /** The values that were taken, read back. */
  get events(): Record<string, unknown>[] {
    return this.taken.map(({ value }) => JSON.parse(value.toString()) as Record<string, unknown>);
  }
}
