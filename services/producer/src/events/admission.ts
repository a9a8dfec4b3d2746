// Decides whether a request is admitted: at once, before its body is read.
import type { Delivery } from "../delivery/index.ts";
import { Rejection } from "../rejection.ts";
import { toRejection } from "./service.ts";

export class Admission {
  #inFlight = 0;

  constructor(
    readonly maxInFlight: number,
    readonly delivery: Pick<Delivery, "refuse">,
  ) {}

  /** Admitted requests that have no response yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Why no request is admitted now; undefined when requests are admitted. */
  refusal(): Rejection | undefined {
    if (this.#inFlight >= this.maxInFlight)
      return new Rejection(
        "overloaded",
        `${this.maxInFlight} requests are in flight already: send it again after Retry-After.`,
      );
    const refused = this.delivery.refuse();
    return refused && toRejection(refused);
  }

  enter(): void {
    this.#inFlight++;
  }

  leave(): void {
    this.#inFlight--;
  }
}
