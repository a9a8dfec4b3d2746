// The command line of the comparison.
import { parseArgs } from "node:util";
import { outputFolder } from "../kit/paths.ts";
import { type ServerName, serverNames } from "./servers.ts";

/** Runs beside the servers': the consumer at its log, the load generator against autocannon. */
export const extraNames = ["consumer", "client"] as const;
export type ExtraName = (typeof extraNames)[number];
export type PartName = ServerName | ExtraName;
const partNames: readonly PartName[] = [...serverNames, ...extraNames];

export interface Options {
  readonly only: readonly PartName[];
  readonly rounds: number;
  /** Of each load. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly partitions: number;
  /** Text in each event's payload; 195 makes an event of about 300 B. */
  readonly payloadBytes: number;
  /** A shared library for LD_PRELOAD; undefined: look for mimalloc; "" : none. */
  readonly preload: string | undefined;
  /** Folder for report.json, report.md and the servers' logs. */
  readonly out: string;
}

export class UsageError extends Error {
  override name = "UsageError";
}

const usage = `Compares this service with others that do the same, side by side on one broker.

  bun run bench:peers [options]

  --only LIST       of ${partNames.join(", ")} (all)
  --rounds N        times that everyone has a turn (5)
  --seconds N       length of each load (6)
  --warm-up N       seconds of load before the first measured one (4)
  --partitions N    of the measured topic (6)
  --payload-bytes N text in each event's payload (195: events of about 300 B)
  --preload FILE    allocator to preload for the peers on Node and Python (mimalloc where it is found); "none"
  --out DIR         for report.json, report.md and logs (out/peers)
  --quick           one round of 2 s: to see that it works; its figures mean nothing
  --help
`;

/**
 * Reads the command line.
 * @returns the usage text when it was asked for
 * @throws UsageError
 */
export function parseOptions(args: readonly string[]): Options | string {
  const { values } = parseValues(args);
  if (values.help) return usage;
  const only =
    values.only === undefined ? partNames : values.only.split(",").map((name) => toPart(name.trim()));
  const whole = (
    name: "rounds" | "seconds" | "warm-up" | "partitions" | "payload-bytes",
    normal: number,
    min: number,
  ) => {
    const text = values[name];
    if (text === undefined) return normal;
    if (!/^\d+$/.test(text) || Number(text) < min) {
      throw new UsageError(`--${name} must be a whole number from ${min}, got "${text}"`);
    }
    return Number(text);
  };
  return Object.freeze({
    only,
    rounds: whole("rounds", values.quick ? 1 : 5, 1),
    seconds: whole("seconds", values.quick ? 2 : 6, 1),
    warmUpSeconds: whole("warm-up", values.quick ? 1 : 4, 0),
    partitions: whole("partitions", 6, 1),
    payloadBytes: whole("payload-bytes", 195, 0),
    preload: values.preload === "none" ? "" : values.preload,
    out: values.out ?? outputFolder,
  });
}

function parseValues(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: "string" },
        rounds: { type: "string" },
        seconds: { type: "string" },
        "warm-up": { type: "string" },
        partitions: { type: "string" },
        "payload-bytes": { type: "string" },
        preload: { type: "string" },
        out: { type: "string" },
        quick: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (thrown) {
    throw new UsageError(thrown instanceof Error ? thrown.message : String(thrown));
  }
}

function toPart(name: string): PartName {
  const part = partNames.find((known) => known === name);
  if (part === undefined) throw new UsageError(`--only knows ${partNames.join(", ")}, not "${name}"`);
  return part;
}
