// Chooses the format of a body by its Content-Type.
import { type MediaType, toMediaType } from "../http/content.ts";
import { Rejection } from "../rejection.ts";
import type { DecodeLimits, EventFormat, FormatOf } from "./event-format.ts";
import { decodeEvent, decodeEvents } from "./json.ts";

export type { DecodeLimits, EventFormat, EventIds, FormatOf } from "./event-format.ts";

const singleAsNdjson = new Rejection(
  "unsupported_media_type",
  "One event is sent as application/json; send NDJSON to /register_events.",
);

export function createFormats(limits: DecodeLimits): FormatOf {
  const formats: Readonly<Record<MediaType, EventFormat>> = {
    json: {
      decodeOne: (body, ids, check) => decodeEvent(body.toText(), limits, ids, check),
      decodeMany: (body, ids, check) => decodeEvents(body.toBuffer(), "array", limits, ids, check),
    },
    ndjson: {
      decodeOne: () => singleAsNdjson,
      decodeMany: (body, ids, check) => decodeEvents(body.toBuffer(), "ndjson", limits, ids, check),
    },
  };
  return (_head, contentType) => {
    const type = toMediaType(contentType);
    return type instanceof Rejection ? type : formats[type];
  };
}
