// A body that is larger than it may be, wherever that shows.
import { Rejection } from "../rejection.ts";

export function tooLarge(maxBytes: number): Rejection {
  return new Rejection("too_large", `The body has more than ${maxBytes} bytes.`);
}
