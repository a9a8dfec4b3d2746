// The shape of the report: the TypeScript type, and the JSON Schema in report.schema.json, which is generated from here.
import { type Static, Type } from "@sinclair/typebox";
import { type LoadName, loadNames } from "../kit/loads.ts";
import { Amount, Count, loadMeasurement, Named, OrNull, strict } from "../kit/measurement.ts";
import { type ServerName, serverNames } from "./servers.ts";

export const Sample = Type.Object(
  {
    server: Named<ServerName>(serverNames, "the server"),
    load: Named<LoadName>(loadNames, "the load"),
    round: Count("from 0; samples of one round were taken within minutes of each other"),
    ...loadMeasurement,
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
    requestsPerSecond: Amount("responses, with 64 connections"),
    cpuMicrosPerRequest: Amount("of the load generator, its start included; µs"),
    cpuShare: Amount("of one core"),
  },
  strict,
);
export type ClientSample = Static<typeof ClientSample>;

const Summary = Type.Object(
  {
    median: Type.Number(),
    min: Type.Number(),
    max: Type.Number(),
    count: Count("rounds with a valid sample"),
  },
  strict,
);

export const Report = Type.Object(
  {
    schemaVersion: Type.Literal(2),
    startedAt: Type.String({ format: "date-time" }),
    isQuick: Type.Boolean({
      description: "a short run to see that everything works: its numbers mean nothing",
    }),
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
        cores: Type.String({ description: "which program ran on which cores" }),
        preload: OrNull(Type.String({ description: "the allocator preloaded for peers on Node and Python" })),
      },
      strict,
    ),
    servers: Type.Array(
      Type.Object(
        {
          name: Named<ServerName>(serverNames, "as in samples"),
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
          server: Named<ServerName>(serverNames, "as in samples"),
          load: Named<LoadName>(loadNames, "as in samples"),
          cpuMicrosPerEvent: Summary,
          eventsPerSecond: Summary,
          p50Ms: OrNull(Summary),
          p99Ms: OrNull(Summary),
          peakMemoryMiB: Summary,
          cpuOverRust: OrNull(Summary),
        },
        strict,
      ),
      { description: "medians of the valid samples; cpuOverRust is the median of the ratios within rounds" },
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

/** The text of report.schema.json. */
export function publishedSchema(): string {
  return `${JSON.stringify(Report, null, 2)}\n`;
}
