// What one load of one server is measured as: the shape that every benchmark's report shares.
import { type Static, Type } from "@sinclair/typebox";

export const strict = { additionalProperties: false };
export const Amount = (description: string) => Type.Number({ minimum: 0, description });
export const Count = (description: string) => Type.Integer({ minimum: 0, description });
export const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);
export const Named = <T extends string>(names: readonly T[], description: string) =>
  Type.Unsafe<T>(
    Type.Union(
      names.map((name) => Type.Literal(name)),
      { description },
    ),
  );

export const loadMeasurement = {
  void: Type.Array(Type.String(), { description: "why the sample is not valid; empty when it is" }),
  eventBytes: Count("size of an event as sent"),
  accepted: Count("events with a 202 response; the topic has as many records, or the sample is void"),
  refused: Count("events refused, for example by a full queue"),
  seconds: Amount("from the first request to the last response"),
  eventsPerSecond: Amount("accepted / seconds"),
  cpuMicrosPerEvent: Amount(
    "CPU time of the server's process tree, from before the load until the topic has all records, / accepted; µs",
  ),
  serverCpuShare: Amount("of one core; near 1 the server was the bottleneck"),
  brokerCpuMicrosPerEvent: Amount("µs"),
  storedBytesPerEvent: Amount("on the broker's disk: compressed, with its share of the record batch header"),
  loadCpuShare: Amount("of one core, used by the load generator; near 1 it was the bottleneck"),
  othersCpuShare: Amount("of one core, used by unrelated processes or taken by the hypervisor"),
  p50Ms: OrNull(Amount("latency; at a fixed rate from the intended send time")),
  p99Ms: OrNull(Amount("latency, as p50Ms")),
  peakMemoryMiB: Amount("peak resident memory of the server since its start"),
};
export const LoadMeasurement = Type.Object(loadMeasurement, strict);
export type LoadMeasurement = Static<typeof LoadMeasurement>;
