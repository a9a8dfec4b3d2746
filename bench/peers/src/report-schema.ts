// The report's shape: the type in here, the JSON Schema outside (bench/peers/schema/report.schema.json is made from this).
import { type Static, Type } from "@sinclair/typebox";
import { type LoadName, loads } from "./loads.ts";
import { type SubjectName, subjectNames } from "./subjects.ts";

const strict = { additionalProperties: false };
const Amount = (description: string) => Type.Number({ minimum: 0, description });
const Count = (description: string) => Type.Integer({ minimum: 0, description });
const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);
const Named = <T extends string>(names: readonly T[], description: string) =>
  Type.Unsafe<T>(
    Type.Union(
      names.map((name) => Type.Literal(name)),
      { description },
    ),
  );

/** One load of one server, whatever it was for. */
const countedLoad = {
  void: Type.Array(Type.String(), { description: "why the sample does not count; empty when it does" }),
  eventBytes: Count("size of an event as sent"),
  accepted: Count("events answered with 202; as many records landed, or the sample is void"),
  refused: Count("events refused, as by a full queue"),
  seconds: Amount("from the first request to the last answer"),
  eventsPerSecond: Amount("accepted / seconds"),
  cpuMicrosPerEvent: Amount(
    "CPU time of the server's whole process tree, from before the load until all records have landed, / accepted; µs",
  ),
  serverCpuShare: Amount("of one core; near 1 the server was the limit"),
  brokerCpuMicrosPerEvent: Amount("µs"),
  storedBytesPerEvent: Amount(
    "on the broker's disk, compressed as it came, its share of the batch's header included",
  ),
  loadCpuShare: Amount("of one core, spent by the load generator; near 1 it was the limit"),
  othersCpuShare: Amount("of one core, spent by processes that are no part of this, or taken by the host"),
  p50Ms: OrNull(Amount("latency; at a fixed rate it counts from when the request was to be sent")),
  p99Ms: OrNull(Amount("latency, as p50Ms")),
  peakMemoryMiB: Amount("highest resident memory of the server so far in this turn"),
};
const CountedLoad = Type.Object(countedLoad, strict);
export type CountedLoad = Static<typeof CountedLoad>;

export const Sample = Type.Object(
  {
    subject: Named<SubjectName>(subjectNames, "the server"),
    load: Named<LoadName>(Object.keys(loads) as LoadName[], "what it was given"),
    round: Count("from 0; samples of one round were taken within minutes of each other"),
    ...countedLoad,
  },
  strict,
);
export type Sample = Static<typeof Sample>;

export const ConsumerSample = Type.Object(
  {
    round: Count("from 0"),
    void: Type.Array(Type.String(), { description: "why the sample does not count; empty when it does" }),
    events: Count("in the topic before the consumer started, and lines that it wrote"),
    eventsPerSecond: Amount("from the first line to the last"),
    cpuMicrosPerEvent: Amount("µs, the consumer's start included"),
    peakMemoryMiB: Amount("highest resident memory"),
  },
  strict,
);
export type ConsumerSample = Static<typeof ConsumerSample>;

export const ClientSample = Type.Object(
  {
    round: Count("from 0"),
    client: Named(["bench", "autocannon"] as const, "the load generator"),
    requestsPerSecond: Amount("answered, with 64 connections"),
    cpuMicrosPerRequest: Amount("of the load generator, its start included; µs"),
    cpuShare: Amount("of one core"),
  },
  strict,
);
export type ClientSample = Static<typeof ClientSample>;

export const Summary = Type.Object(
  { median: Type.Number(), min: Type.Number(), max: Type.Number(), count: Count("rounds that counted") },
  strict,
);

export const Report = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    startedAt: Type.String({ format: "date-time" }),
    isQuick: Type.Boolean({ description: "a short run, to see that it works: its figures mean nothing" }),
    machine: Type.Object(
      {
        processor: Type.String(),
        cores: Count("visible to the operating system"),
        memoryGiB: Count("in all"),
        kernel: Type.String(),
        bun: Type.String(),
        kafka: Type.String(),
      },
      strict,
    ),
    setup: Type.Object(
      {
        rounds: Count("asked for"),
        seconds: Amount("of each load"),
        warmUpSeconds: Amount("before the first"),
        partitions: Count("of the topic"),
        cores: Type.String({ description: "who ran where" }),
        preload: OrNull(Type.String({ description: "allocator that was preloaded" })),
      },
      strict,
    ),
    subjects: Type.Array(
      Type.Object(
        {
          name: Named<SubjectName>(subjectNames, "as in samples"),
          title: Type.String(),
          notes: Type.String(),
        },
        strict,
      ),
    ),
    missing: Type.Array(
      Type.Object(
        { name: Type.String(), round: OrNull(Count("null: never started")), reason: Type.String() },
        strict,
      ),
      { description: "what could not be installed, started or measured" },
    ),
    samples: Type.Array(Sample),
    consumer: Type.Array(ConsumerSample),
    client: Type.Array(ClientSample),
    summary: Type.Array(
      Type.Object(
        {
          subject: Named<SubjectName>(subjectNames, "as in samples"),
          load: Named<LoadName>(Object.keys(loads) as LoadName[], "as in samples"),
          cpuMicrosPerEvent: Summary,
          eventsPerSecond: Summary,
          p50Ms: OrNull(Summary),
          p99Ms: OrNull(Summary),
          peakMemoryMiB: Summary,
          cpuOverRust: OrNull(Summary),
        },
        strict,
      ),
      { description: "medians of the samples that count; cpuOverRust is the median of ratios within rounds" },
    ),
    goals: Type.Array(
      Type.Object(
        {
          what: Type.String(),
          goal: Type.String(),
          measured: OrNull(Type.Number()),
          unit: Type.String(),
          isMet: OrNull(Type.Boolean({ description: "null: not measured" })),
        },
        strict,
      ),
    ),
  },
  { ...strict, $schema: "http://json-schema.org/draft-07/schema#", title: "Report of bun run bench:peers" },
);
export type Report = Static<typeof Report>;

/** The schema as it is published. */
export function publishedSchema(): string {
  return `${JSON.stringify(Report, null, 2)}\n`;
}
