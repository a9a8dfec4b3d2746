// The command line as a table: each flag once, for reading it, checking it and showing it in --help.
import { parseArgs } from "node:util";

/** What a flag's value is, and the words for it in --help and in a complaint. */
type Kind =
  | { kind: "count"; min: number; max: number }
  | { kind: "rate" }
  | { kind: "duration" }
  | { kind: "text" }
  | { kind: "address" }
  | { kind: "choice"; of: readonly string[] }
  | { kind: "switch" };

/** One flag. `value` is the placeholder in --help; `default` is shown there as written. */
export type Flag = Kind & { value?: string; default?: string; help: string };

export const flags = {
  url: {
    kind: "address",
    value: "URL",
    default: "http://localhost:3000",
    help: "the producer; /register_event or /register_events is added to it",
  },
  requests: {
    kind: "count",
    min: 1,
    max: Number.MAX_SAFE_INTEGER,
    value: "N",
    help: "stop after N requests (default 100000 unless --duration is given)",
  },
  duration: {
    kind: "duration",
    value: "TIME",
    help: "stop after TIME: 30s, 500ms, 2m; a bare number is seconds",
  },
  concurrency: {
    kind: "count",
    min: 1,
    max: 65_536,
    value: "N",
    default: "64",
    help: "connections, each with one request at a time",
  },
  rate: {
    kind: "rate",
    value: "R",
    help: "open loop: R requests a second whatever the answers take; latency counts from the intended time",
  },
  batch: {
    kind: "count",
    min: 1,
    max: 100_000,
    value: "N",
    help: "N events a request, to /register_events (default: one event, to /register_event)",
  },
  format: {
    kind: "choice",
    of: ["json", "ndjson"],
    default: "json",
    help: "a batch as a JSON array or as NDJSON lines",
  },
  durability: {
    kind: "choice",
    of: ["accepted", "durable", "stored"],
    help: "the promise to ask for, as Prefer: durability=… (default: none asked, the service decides)",
  },
  client: {
    kind: "choice",
    of: ["socket", "fetch"],
    default: "socket",
    help: "HTTP over Bun.connect, or Bun's fetch at more than twice the CPU a request",
  },
  timeout: { kind: "duration", value: "TIME", default: "30s", help: "give a request up after TIME" },
  users: {
    kind: "count",
    min: 0,
    max: 1_000_000_000,
    value: "N",
    default: "1000",
    help: "different user ids, which are the records' keys; 0 sends none",
  },
  "payload-bytes": {
    kind: "count",
    min: 0,
    max: 16 * 1024 * 1024,
    value: "N",
    default: "200",
    help: "text in each event's payload",
  },
  seed: {
    kind: "count",
    min: 0,
    max: 0xffff_ffff,
    value: "N",
    default: "1",
    help: "of the user ids and payloads; the event ids are new in every run",
  },
  verify: {
    kind: "switch",
    help: "afterwards look for every accepted event in the topic; exit 1 if one is missing",
  },
  "verify-timeout": {
    kind: "duration",
    value: "TIME",
    default: "15s",
    help: "give up the search when nothing new has come for TIME",
  },
  "bootstrap-servers": {
    kind: "text",
    value: "LIST",
    help: "Kafka for --verify (default: KAFKA_BOOTSTRAP_SERVERS, or localhost:9092)",
  },
  topic: { kind: "text", value: "NAME", help: "topic for --verify (default: KAFKA_TOPIC, or events)" },
  json: {
    kind: "text",
    value: "FILE",
    help: "write the report as JSON too (schema: bench/schema/report.schema.json)",
  },
  help: { kind: "switch", help: "this text" },
} as const satisfies Record<string, Flag>;

export type FlagName = keyof typeof flags;
/** What was read: a number for counts, rates and durations (ms), else text; absent flags have their default or nothing. */
export type FlagValues = Partial<Record<FlagName, string | number | boolean>>;

/** The command line can't be used. Every problem is named, a line each. */
export class UsageError extends Error {
  override name = "UsageError";
  constructor(readonly problems: readonly string[]) {
    super(problems.join("\n"));
  }
}

/**
 * Reads a command line against the table.
 * @throws UsageError with every unknown flag, missing value and value out of range
 */
export function readFlags(argv: readonly string[]): FlagValues {
  const table: Record<string, Flag> = flags;
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(
      Object.entries(table).map(([name, flag]) => [
        name,
        flag.kind === "switch" ? { type: "boolean" as const } : { type: "string" as const },
      ]),
    ),
  });
  const problems: string[] = [];
  const values: Record<string, string | number | boolean> = {};
  for (const [name, flag] of Object.entries(table)) {
    if (flag.default !== undefined) values[name] = toValue(flag, flag.default);
  }
  for (const token of tokens) {
    if (token.kind === "positional")
      problems.push(`"${token.value}" is not a flag: every option begins with --`);
    if (token.kind !== "option") continue;
    const flag = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
    if (flag === undefined) {
      problems.push(`${token.rawName} is not a flag of the bench${suggestion(token.name)}`);
    } else if (flag.kind === "switch") {
      if (token.value === undefined) values[token.name] = true;
      else problems.push(`${token.rawName} takes no value, got "${token.value}"`);
    } else if (token.value === undefined || token.value === "") {
      problems.push(`${token.rawName} needs a value: ${wordsFor(flag)}`);
    } else {
      const value = toValue(flag, token.value);
      if (Number.isNaN(value))
        problems.push(`${token.rawName} must be ${wordsFor(flag)}, got "${token.value}"`);
      else values[token.name] = value;
    }
  }
  if (problems.length > 0) throw new UsageError(problems);
  return values;
}

/** `NaN` stands for "not one of these". */
function toValue(flag: Flag, text: string): string | number {
  switch (flag.kind) {
    case "count": {
      const count = /^\d+$/.test(text.replaceAll("_", "")) ? Number(text.replaceAll("_", "")) : Number.NaN;
      return count >= flag.min && count <= flag.max ? count : Number.NaN;
    }
    case "rate": {
      const rate = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
      return rate > 0 && rate <= 10_000_000 ? rate : Number.NaN;
    }
    case "duration": {
      const found = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
      const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[found?.[2] ?? "s"]!;
      const ms = found ? Number(found[1]) * unit : Number.NaN;
      // A timer of the event loop holds at most 2^31 - 1 ms.
      return ms > 0 && ms <= 0x7fff_ffff ? ms : Number.NaN;
    }
    case "choice":
      return flag.of.includes(text) ? text : Number.NaN;
    case "address":
      return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) ? text : Number.NaN;
    default:
      return text;
  }
}

function wordsFor(flag: Flag): string {
  switch (flag.kind) {
    case "count":
      return flag.max === Number.MAX_SAFE_INTEGER
        ? `a whole number from ${flag.min}`
        : `a whole number from ${flag.min} to ${flag.max}`;
    case "rate":
      return "a number of requests a second above 0";
    case "duration":
      return "a time above 0 such as 30s, 500ms or 2m";
    case "choice":
      return flag.of.join(" or ");
    case "address":
      return "an http:// or https:// address";
    default:
      return flag.help;
  }
}

function suggestion(name: string): string {
  const near = Object.keys(flags).find((known) => known.startsWith(name) || name.startsWith(known));
  return near === undefined ? "; see --help" : `; did you mean --${near}?`;
}

/** The text of --help. */
export function helpText(): string {
  const rows = Object.entries(flags as Record<string, Flag>).map(([name, flag]) => {
    const value = flag.kind === "choice" ? ` ${flag.of.join("|")}` : flag.value ? ` ${flag.value}` : "";
    return [
      `--${name}${value}`,
      flag.default === undefined ? flag.help : `${flag.help} (default ${flag.default})`,
    ];
  });
  const width = Math.max(...rows.map(([left]) => left!.length));
  return [
    "bun run bench [flags]: fires events at the producer and says what came of each.",
    "",
    ...rows.map(([left, right]) => `  ${left!.padEnd(width)}  ${right}`),
    "",
    "Firing needs Bun alone. --verify also needs Kafka and the native client (KAFKA_… settings as for the services).",
    "Ctrl-C stops firing and reports what was done; a second one gives up the verification too.",
    "Exit code: 0 all well, 1 an event is missing, nothing was accepted or the check could not be made,",
    "           2 the flags can't be used, 3 nothing listens at the URL.",
  ].join("\n");
}
