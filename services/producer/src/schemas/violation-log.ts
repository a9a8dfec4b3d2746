// Logs the events that SCHEMA_MODE=observe takes although their schema does not allow them: one line for each type and
// minute, with how many there were. A line names places in the schema and never anything of an event.
import type { Log } from "@ingest/service";
import type { ErrorObject } from "ajv";

const INTERVAL_MS = 60_000;
/** The rules that a line lists at most. */
const MAX_RULES = 5;

export interface Violation {
  type: string;
  version: number;
  source: string;
  /** Absent when there is no schema of that version. Called only when a line is logged. */
  errors?: () => readonly ErrorObject[];
}

export class ViolationLog {
  readonly #log: Log;
  readonly #now: () => number;
  /** By type: types have a schema, so their number is bounded. */
  readonly #byType = new Map<string, { nextMs: number; count: number }>();

  /** @param now a monotonic clock, ms */
  constructor(log: Log, now: () => number = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  onViolation({ type, version, source, errors }: Violation): void {
    const events = this.#countIfDue(type);
    if (events === 0) return;
    const rules = errors?.()
      .slice(0, MAX_RULES)
      .map(({ keyword, schemaPath }) => ({ keyword, schema: schemaPath }));
    this.#log.warn(
      { event_type: type, schema_version: version, source, events, ...(rules !== undefined && { rules }) },
      rules === undefined ? "events name a version without a schema" : "events violate their schema",
    );
  }

  /** Their types are the callers' own text, so they are not logged. */
  onUnknownType(): void {
    const events = this.#countIfDue("");
    if (events > 0) this.#log.warn({ events }, "events of types without a schema");
  }

  /** @returns how many events the line stands for; 0 when none is due */
  #countIfDue(type: string): number {
    let state = this.#byType.get(type);
    if (state === undefined) {
      state = { nextMs: 0, count: 0 };
      this.#byType.set(type, state);
    }
    state.count++;
    const now = this.#now();
    if (now < state.nextMs) return 0;
    const { count } = state;
    state.nextMs = now + INTERVAL_MS;
    state.count = 0;
    return count;
  }
}
