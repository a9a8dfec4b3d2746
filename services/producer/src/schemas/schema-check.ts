// Checks each event by the schema of its type, between decode and delivery.
import type { EventInput, ProblemError } from "@ingest/contract";
import type { Log } from "@ingest/service";
import type { EncodedEvent } from "../delivery/index.ts";
import { Rejection } from "../rejection.ts";
import type { CompiledSchema } from "./compiled-schema.ts";
import { toProblemErrors } from "./problems.ts";
import { SchemaSet } from "./schema-set.ts";
import { ViolationLog } from "./violation-log.ts";
import { withWirePrefix } from "./wire-format.ts";

export interface SchemaCheckOptions {
  mode: "observe" | "enforce";
  rejectsUnknownTypes: boolean;
  /** Records begin with the id of their schema, where it comes from a registry. */
  hasWireFormat: boolean;
  log: Log;
}

const NO_PAYLOAD = Object.freeze({});

export class SchemaCheck {
  readonly #options: SchemaCheckOptions;
  readonly #violations: ViolationLog;
  /** Replaced as a whole. */
  set = new SchemaSet([]);
  /** Checked events by result. Counters: they only grow. */
  readonly counts = { valid: 0, invalid: 0, unknown_version: 0, unknown_type: 0 };
  /** Invalid events by type. Only types that have a schema are counted, so their number is bounded. */
  readonly invalidByType: Record<string, number> = Object.create(null) as Record<string, number>;

  constructor(options: SchemaCheckOptions) {
    this.#options = options;
    this.#violations = new ViolationLog(options.log);
  }

  /** @returns the event, or why it is not taken */
  check(event: EncodedEvent, input: EventInput): EncodedEvent | Rejection {
    const found = this.set.find(input.event_type, input.schema_version);
    if (typeof found === "string") return this.#onUnknown(found, event, input);
    const value = found.describes === "payload" ? (input.payload ?? NO_PAYLOAD) : toStored(event, input);
    if (found.isValid(value)) {
      this.counts.valid++;
      return this.#taken(event, found);
    }
    return this.#onInvalid(found, value, event, input);
  }

  #onUnknown(
    reason: "unknown type" | "unknown version",
    event: EncodedEvent,
    input: EventInput,
  ): EncodedEvent | Rejection {
    const { event_type: type, schema_version: version } = input;
    const { mode, rejectsUnknownTypes } = this.#options;
    if (reason === "unknown type") {
      this.counts.unknown_type++;
      if (!rejectsUnknownTypes) return event;
      if (mode === "observe") {
        this.#violations.onUnknownType();
        return event;
      }
      return rejection("unknown_event_type", input, [{ pointer: "/event_type", message: "has no schema" }]);
    }
    this.counts.unknown_version++;
    if (mode === "observe") {
      this.#violations.onViolation({ type, version: version!, source: "" });
      return event;
    }
    const message = `has no schema of this version; known versions: ${this.set.versionsOf(type).join(", ")}`;
    return rejection("schema_violation", input, [{ pointer: "/schema_version", message }]);
  }

  #onInvalid(
    schema: CompiledSchema,
    value: unknown,
    event: EncodedEvent,
    input: EventInput,
  ): EncodedEvent | Rejection {
    const { type, version } = schema.name;
    this.counts.invalid++;
    this.invalidByType[type] = (this.invalidByType[type] ?? 0) + 1;
    if (this.#options.mode === "enforce")
      return rejection(
        "schema_violation",
        input,
        toProblemErrors(schema.errorsOf(value), schema.describes === "payload" ? "/payload" : ""),
      );
    this.#violations.onViolation({
      type,
      version,
      source: schema.source,
      errors: () => schema.errorsOf(value),
    });
    return this.#taken(event, schema);
  }

  #taken(event: EncodedEvent, { registryId }: CompiledSchema): EncodedEvent {
    if (!this.#options.hasWireFormat || registryId === undefined) return event;
    return { ...event, value: withWirePrefix(registryId, event.value) };
  }
}

/** The event as its record will contain it. */
function toStored({ id, receivedMs }: EncodedEvent, input: EventInput): object {
  if (input.event_id !== undefined && input.timestamp !== undefined) return input;
  return { event_id: id, timestamp: receivedMs, ...input };
}

function rejection(
  code: "schema_violation" | "unknown_event_type",
  { event_id: eventId }: EventInput,
  errors: ProblemError[],
): Rejection {
  const [first] = errors;
  const detail =
    first === undefined
      ? "The schema does not allow the event."
      : `${first.pointer || "The event"} ${first.message}.`;
  return new Rejection(code, detail, { errors, ...(eventId !== undefined && { eventId }) });
}
