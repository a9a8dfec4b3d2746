// Bodies that are too much, wherever that shows.
import { Rejection } from "../rejection.ts";

export function tooLarge(maxBytes: number): Rejection {
  return new Rejection("too_large", `The body has more than ${maxBytes} bytes.`);
}

/** All that is on its way together is. */
export function tooManyBytes(): Rejection {
  return new Rejection("overloaded", "Too many bytes are arriving at once: try again shortly.", {
    retryAfterSeconds: 1,
  });
}
