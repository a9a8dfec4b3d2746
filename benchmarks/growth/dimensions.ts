// The dimensions that grow, one at a time. Everything else is as in the comparison: 64 connections, events of about 300 B,
// 6 partitions, 1,000 user ids, one event a request; batches come over 16 connections.
import { DEFAULT_PAYLOAD_BYTES, loads } from "../kit/loads.ts";

export interface Point {
  /** On the x axis. */
  readonly value: number;
  readonly flags: readonly string[];
  /** Text in each event's payload. */
  readonly payloadBytes: number;
  readonly partitions: number;
}

export interface Dimension {
  readonly name: DimensionName;
  readonly title: string;
  readonly points: readonly Point[];
}

const defaults = { payloadBytes: DEFAULT_PAYLOAD_BYTES, partitions: 6, flags: loads.c64.flags };
/** Bytes of the load generator's event without its payload's text. */
const EVENT_FRAME_BYTES = 97;

function dimension(
  name: DimensionName,
  title: string,
  values: readonly number[],
  toPoint: (value: number) => Partial<Omit<Point, "value">>,
): Dimension {
  const points = values.map((value) => ({ value, ...defaults, ...toPoint(value) }));
  return { name, title, points };
}

export const dimensionNames = ["bytes", "connections", "partitions", "users", "batch"] as const;
export type DimensionName = (typeof dimensionNames)[number];

export const dimensions: readonly Dimension[] = [
  dimension("bytes", "bytes an event", [100, 300, 1_000, 3_000, 10_000, 30_000, 100_000], (bytes) => ({
    payloadBytes: Math.max(0, bytes - EVENT_FRAME_BYTES),
  })),
  dimension("connections", "connections", [1, 4, 16, 64, 256, 1_000, 2_000], (connections) => ({
    flags: ["--concurrency", String(connections)],
  })),
  dimension("partitions", "partitions", [1, 3, 6, 12, 30, 100], (partitions) => ({ partitions })),
  dimension("users", "user ids", [1, 10, 100, 1_000, 10_000], (users) => ({
    flags: [...loads.c64.flags, "--users", String(users)],
  })),
  dimension("batch", "events a request", [1, 3, 10, 30, 100, 300, 1_000], (events) => ({
    flags: ["--concurrency", "16", "--batch", String(events)],
  })),
];
