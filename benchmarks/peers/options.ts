// The command line of the comparison.
import type { Command, CommandLine } from "@ingest/cli-flags";
import { DEFAULT_PAYLOAD_BYTES } from "../kit/loads.ts";
import { outputFolder } from "../kit/paths.ts";
import { type ServerName, serverNames } from "./servers.ts";

/** Measured beside the servers: the consumer, and the load generator with autocannon. */
const extraNames = ["consumer", "client"] as const;
const partNames = [...serverNames, ...extraNames] as const;
type PartName = ServerName | (typeof extraNames)[number];

export interface Options {
  readonly only: readonly PartName[];
  readonly rounds: number;
  /** Of each load. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly partitions: number;
  /** Text in each event's payload. */
  readonly payloadBytes: number;
  /** A shared library for LD_PRELOAD; undefined: look for mimalloc; "": none. */
  readonly preload: string | undefined;
  /** Folder for report.json, report.md and logs. */
  readonly out: string;
  readonly isQuick: boolean;
}

const flags = {
  only: { kind: "list", of: partNames, help: `of ${partNames.join(", ")} (default: all)` },
  rounds: { kind: "integer", min: 1, help: "rounds, each of which measures everything once (default 5)" },
  seconds: { kind: "integer", min: 1, help: "length of each load (default 6)" },
  "warm-up": { kind: "integer", min: 0, help: "seconds of load before the first measured one (default 4)" },
  partitions: { kind: "integer", min: 1, default: "6", help: "of each topic" },
  "payload-bytes": {
    kind: "integer",
    min: 0,
    default: String(DEFAULT_PAYLOAD_BYTES),
    help: "text in each event's payload; the default makes events of about 300 B",
  },
  preload: {
    kind: "text",
    value: "FILE",
    help: 'allocator to preload for the peers on Node and Python (default: mimalloc where it is installed); "none"',
  },
  out: {
    kind: "text",
    value: "DIR",
    default: outputFolder,
    help: "for report.json, report.md and logs",
  },
  quick: { kind: "switch", help: "one round of 2 s, to see that everything works: its numbers mean nothing" },
} as const;

export const command: Command<typeof flags> = {
  name: "bun run bench:peers",
  about: "Compares this service with others that do the same work, side by side on one broker.",
  flags,
};

export function toOptions(values: CommandLine<typeof flags>["values"]): Options {
  const { quick: isQuick, preload } = values;
  return Object.freeze({
    only: values.only ?? partNames,
    rounds: values.rounds ?? (isQuick ? 1 : 5),
    seconds: values.seconds ?? (isQuick ? 2 : 6),
    warmUpSeconds: values["warm-up"] ?? (isQuick ? 1 : 4),
    partitions: values.partitions,
    payloadBytes: values["payload-bytes"],
    preload: preload === "none" ? "" : preload,
    out: values.out,
    isQuick,
  });
}
