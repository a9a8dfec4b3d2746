// May a request come in now? Decided at once, before its body is read.
import type { Delivery } from "../delivery/index.ts";
import { Rejection } from "../rejection.ts";
import { toRejection } from "./service.ts";

export class Admission {
  #inFlight = 0;
  #isStopping = false;

  constructor(
    readonly maxInFlight: number,
    readonly delivery: Pick<Delivery, "refuse">,
  ) {}

  /** Requests that came in and have no answer yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Why no request may come in now; undefined when it may. */
  refusal(): Rejection | undefined {
    if (this.#isStopping)
      return new Rejection("shutting_down", "This server is stopping: send it to another.", { closes: true });
    if (this.#inFlight >= this.maxInFlight)
      return new Rejection("overloaded", `${this.maxInFlight} requests are being answered already.`);
    const refused = this.delivery.refuse();
    return refused && toRejection(refused);
  }

  enter(): void {
    this.#inFlight++;
  }

  leave(): void {
    this.#inFlight--;
  }

  /** Lets nobody in any more. */
  close(): void {
    this.#isStopping = true;
  }
}
