// The shape of the report: the TypeScript type, and the JSON Schema in bench/schema/report.schema.json, which is
// generated from here.
import { type Static, Type } from "@sinclair/typebox";

const strict = { additionalProperties: false };
const Count = (description: string) => Type.Integer({ minimum: 0, description });
const Amount = (description: string) => Type.Number({ minimum: 0, description });
const CountsBy = (key: string, description: string) =>
  Type.Record(Type.String({ description: key }), Type.Integer({ minimum: 1 }), { description });
const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

export const LatencyReport = Type.Object(
  {
    count: Count("responses measured"),
    mean: Amount("ms"),
    p50: Amount("ms"),
    p90: Amount("ms"),
    p99: Amount("ms"),
    p99_9: Amount("ms"),
    max: Amount("ms"),
  },
  strict,
);
export type LatencyReport = Static<typeof LatencyReport>;

export const VerificationReport = Type.Object(
  {
    topic: Type.String(),
    accepted: Count("events that the service accepted (accepted, durable or stored)"),
    stored: Count("accepted events found in the topic"),
    missing: Count("accepted events not found in the topic"),
    duplicated: Count("events of this run found more than once"),
    unknownStored: Count("events with unknown outcome found in the topic"),
    refusedStored: Count("refused events found in the topic"),
    recordsRead: Count("records read from the topic, other writers' included"),
    seconds: Amount("from the end of sending to the last event found, or to giving up"),
    complete: Type.Boolean({ description: "false when the verification was interrupted" }),
    missingIds: Type.Array(Type.String(), { maxItems: 20, description: "the first missing events" }),
  },
  strict,
);
export type VerificationReport = Static<typeof VerificationReport>;

export const Report = Type.Object(
  {
    schemaVersion: Type.Literal(2),
    startedAt: Type.String({ format: "date-time" }),
    runId: Type.String({ description: "event ids are this id, a dash and a number" }),
    interrupted: Type.Boolean({ description: "stopped by a signal" }),
    setup: Type.Object(
      {
        url: Type.String(),
        client: Type.Union([Type.Literal("socket"), Type.Literal("fetch")]),
        concurrency: Type.Integer({ minimum: 1 }),
        batch: OrNull(Type.Integer({ minimum: 1, description: "null: single events" })),
        format: Type.Union([Type.Literal("json"), Type.Literal("ndjson")]),
        durability: OrNull(
          Type.Union([Type.Literal("accepted"), Type.Literal("durable"), Type.Literal("stored")]),
        ),
        users: Type.Integer({ minimum: 0 }),
        payloadBytes: Type.Integer({ minimum: 0 }),
        eventBytes: Type.Integer({ minimum: 1, description: "size of the first event" }),
        seed: Type.Integer({ minimum: 0 }),
        timeoutMs: Type.Number({ exclusiveMinimum: 0 }),
        runtime: Type.String({ description: "the runtime of the bench", examples: ["Bun 1.4.5"] }),
      },
      strict,
    ),
    elapsedSeconds: Amount("from the first request to the last response"),
    requests: Type.Object(
      {
        sent: Count("requests sent"),
        completed: Count("requests with a complete response, of any status"),
        perSecond: Amount("completed / elapsedSeconds"),
        byStatus: CountsBy("HTTP status", "responses"),
      },
      strict,
    ),
    events: Type.Object(
      {
        offered: Count("events in all requests: the sum of the four counts below"),
        accepted: Count("accepted by the service: accepted, durable or stored"),
        refused: Count("not accepted according to the response"),
        unknown: Count("sent, and no response says whether they were accepted"),
        unsent: Count("not sent: no connection"),
        acceptedPerSecond: Amount("accepted / elapsedSeconds"),
        byStatus: CountsBy(
          "status",
          "events by the status in their result: accepted, durable, stored, invalid, retry, …",
        ),
      },
      strict,
    ),
    refusals: CountsBy(
      "the problem's code, or http_<status> without one",
      "events by the reason for the refusal",
    ),
    errors: CountsBy("kind of error", "requests without a usable response"),
    examples: Type.Record(Type.String({ description: "a key of refusals or errors" }), Type.String(), {
      description: "the first message or body of each, truncated to 300 characters",
    }),
    latencyMs: Type.Object(
      {
        accepted: OrNull(LatencyReport),
        refused: OrNull(LatencyReport),
        serviceTime: OrNull(LatencyReport),
      },
      {
        ...strict,
        description:
          "accepted: statuses below 300; refused: all others. In an open loop both count from the intended send time, " +
          "and serviceTime counts all responses from the actual send time",
      },
    ),
    openLoop: OrNull(
      Type.Object(
        {
          ratePerSecond: Type.Number({ exclusiveMinimum: 0, description: "as requested" }),
          sentPerSecond: Amount("as achieved"),
          maxSendDelayMs: Amount("longest delay between the intended and the actual send time"),
          overdue: Count("requests that were due at the end, and had found no free connection"),
        },
        strict,
      ),
    ),
    benchCpu: Type.Object(
      {
        seconds: Amount("CPU time of the bench while sending, all threads"),
        microsecondsPerRequest: Amount("CPU time / completed requests"),
        share: Amount("of one core; near 1 the bench is the bottleneck, and latencies include its own queue"),
      },
      strict,
    ),
    verification: OrNull(VerificationReport),
  },
  { ...strict, $schema: "http://json-schema.org/draft-07/schema#", title: "Report of bun run bench" },
);
export type Report = Static<typeof Report>;

/** The text of report.schema.json. */
export function publishedSchema(): string {
  return `${JSON.stringify(Report, null, 2)}\n`;
}
