// An event as an HTML form sends it.
import { ACCEPT } from "../../http/content.ts";
import { Rejection } from "../../rejection.ts";
import type { DecodeLimits, EventFormat } from "../event-format.ts";
import { notUtf8 } from "../json.ts";
import { decodeFields } from "./fields.ts";

const ONE_EVENT = new Rejection(
  "unsupported_media_type",
  "A form holds one event: send it to /register_event.",
  ACCEPT,
);

export function createFormFormat(limits: DecodeLimits): EventFormat {
  return {
    decodeOne(body, ids, check) {
      const text = body.toText();
      return text === undefined ? notUtf8() : decodeFields(text, [], limits, ids, check);
    },
    decodeMany: () => ONE_EVENT,
  };
}
