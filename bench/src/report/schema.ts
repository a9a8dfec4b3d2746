// The report's shape: the type in here, the JSON Schema outside (bench/schema/report.schema.json is made from this).
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
    count: Count("answers measured"),
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
    accepted: Count("events that the service took (accepted, durable or stored)"),
    stored: Count("of these, those found in the topic"),
    missing: Count("of these, those not found in the topic"),
    duplicated: Count("events of this run found more than once"),
    unknownStored: Count("events found whose answer never came or left their fate open"),
    refusedStored: Count("events found although the answer refused them"),
    recordsRead: Count("records read from the topic, other writers' included"),
    seconds: Amount("from the end of firing to the last event found, or to giving up"),
    complete: Type.Boolean({ description: "false when the search was stopped by hand" }),
    missingIds: Type.Array(Type.String(), { maxItems: 20, description: "the first of the missing" }),
  },
  strict,
);
export type VerificationReport = Static<typeof VerificationReport>;

export const Report = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    startedAt: Type.String({ format: "date-time" }),
    runId: Type.String({ description: "event ids are this, a dash and a number" }),
    interrupted: Type.Boolean({ description: "stopped by hand before its end" }),
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
        runtime: Type.String({ description: "what ran the bench", examples: ["Bun 1.4.5"] }),
      },
      strict,
    ),
    elapsedSeconds: Amount("from the first request to the last answer"),
    requests: Type.Object(
      {
        sent: Count("requests begun"),
        answered: Count("requests with a whole answer, of whatever status"),
        perSecond: Amount("answered / elapsedSeconds"),
        byStatus: CountsBy("HTTP status", "answers"),
      },
      strict,
    ),
    events: Type.Object(
      {
        offered: Count("events in the requests begun: the four counts below add up to it"),
        accepted: Count("taken by the service: accepted, durable or stored"),
        refused: Count("not taken, and the answer says so"),
        unknown: Count("sent, and no answer tells whether they were taken"),
        unsent: Count("never sent: no connection"),
        acceptedPerSecond: Amount("accepted / elapsedSeconds"),
        byStatus: CountsBy(
          "status",
          "results of single events: accepted, durable, stored, invalid, retry, …",
        ),
      },
      strict,
    ),
    refusals: CountsBy("the problem's code, or http_<status> without one", "events by why they were refused"),
    errors: CountsBy("kind of error", "requests without a usable answer"),
    examples: Type.Record(Type.String({ description: "a name of refusals or errors" }), Type.String(), {
      description: "the first of each, in the words that came with it, cut at 300 characters",
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
          "accepted: answers below 300; refused: all others. In an open loop both count from the intended time of " +
          "sending, and serviceTime counts all answers from the real one",
      },
    ),
    openLoop: OrNull(
      Type.Object(
        {
          ratePerSecond: Type.Number({ exclusiveMinimum: 0, description: "asked for" }),
          sentPerSecond: Amount("reached"),
          latestSendMs: Amount("the most by which a request went out later than intended"),
          overdue: Count("requests that were due at the end and found no free connection"),
        },
        strict,
      ),
    ),
    benchCpu: Type.Object(
      {
        seconds: Amount("CPU time of the bench while firing, all threads"),
        microsecondsPerRequest: Amount("of answered requests"),
        share: Amount("of the elapsed time: near 1 the bench is the limit, and latencies hold its own queue"),
      },
      strict,
    ),
    verification: OrNull(VerificationReport),
  },
  { ...strict, $schema: "http://json-schema.org/draft-07/schema#", title: "Report of bun run bench" },
);
export type Report = Static<typeof Report>;

/** The schema as it is published. */
export function publishedSchema(): string {
  return `${JSON.stringify(Report, null, 2)}\n`;
}
