// Chooses the format of a body by its Content-Type, and CloudEvents in the binary mode by their headers.
import { ACCEPT, isCloudEventsType, type MediaType, toMediaType, unsupportedType } from "../http/content.ts";
import { Rejection } from "../rejection.ts";
import { createFormFormat } from "./adapters/form.ts";
import type { AdapterSettings } from "./adapters/settings.ts";
import { createCloudEventFormats, isBinaryMode } from "./cloud-events/index.ts";
import type { CloudEventSettings } from "./cloud-events/settings.ts";
import type { DecodeLimits, EventFormat, FormatOf } from "./event-format.ts";
import { decodeEvent, decodeEvents } from "./json.ts";

export type { DecodeLimits, EventFormat, EventIds, FormatOf } from "./event-format.ts";

const singleAsNdjson = new Rejection(
  "unsupported_media_type",
  "One event is sent as application/json; send NDJSON to /register_events.",
  ACCEPT,
);

const NO_FORMS = new Rejection(
  "unsupported_media_type",
  unsupportedType("application/x-www-form-urlencoded"),
  ACCEPT,
);

export function createFormats(
  limits: DecodeLimits,
  settings: CloudEventSettings & Partial<AdapterSettings>,
): FormatOf {
  const cloudEvents = createCloudEventFormats(settings, limits);
  const formats: Readonly<Record<MediaType, EventFormat | Rejection>> = {
    json: {
      decodeOne: (body, ids, check) => decodeEvent(body.toText(), limits, ids, check),
      decodeMany: (body, ids, check) => decodeEvents(body.toBuffer(), "array", limits, ids, check),
    },
    ndjson: {
      decodeOne: () => singleAsNdjson,
      decodeMany: (body, ids, check) => decodeEvents(body.toBuffer(), "ndjson", limits, ids, check),
    },
    cloudevent: cloudEvents.structured,
    "cloudevent-batch": cloudEvents.batched,
    form: settings.ADAPTERS?.includes("form") ? createFormFormat(limits) : NO_FORMS,
  };
  return (head, contentType) => {
    if (isBinaryMode(head) && !isCloudEventsType(contentType)) return cloudEvents.binary(head);
    const type = toMediaType(contentType);
    return type instanceof Rejection ? type : formats[type];
  };
}
