// May a request come in now? Decided at once, before its body is read.
import { Rejection } from "../rejection.ts";

export class Admission {
  #inFlight = 0;
  #isStopping = false;

  constructor(readonly maxInFlight: number) {}

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
    return undefined;
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
