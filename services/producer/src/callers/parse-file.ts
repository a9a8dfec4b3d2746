// CALLERS_FILE, parsed: the callers and their keys, or every problem of the file.
import { type Durability, durabilities } from "@ingest/contract";
import { type FileProblem, FileProblems, parseJsonFile } from "../file-problems.ts";
import { ANONYMOUS, type Caller, type CallerLimits } from "./caller.ts";
import { type AnonymousEntry, type CallerEntry, CallersFile } from "./file-schema.ts";
import { NamePatterns } from "./name-patterns.ts";
import { AllowedOrigins, isOriginPattern } from "./origins.ts";

/** What the service's own settings say about durability. */
export interface DurabilityDefaults {
  readonly defaultDurability: Durability;
  /** Without it, nothing is `durable`. */
  readonly hasJournal: boolean;
}

export interface CallerKey {
  readonly caller: Caller;
  readonly digest: Buffer;
  /** Unix ms; Infinity: never. */
  readonly expiresMs: number;
  /** It may be sent as a query parameter. */
  readonly inQuery: boolean;
}

/** What CALLERS_FILE contains. */
export interface Callers {
  readonly callers: readonly Caller[];
  /** By the digest in lower-case hexadecimal. */
  readonly keys: ReadonlyMap<string, CallerKey>;
  /** What requests without a key may send; undefined: nothing. */
  readonly anonymous: Caller | undefined;
  /** The file. */
  readonly text: string;
}

/** Ids that stand for requests without a caller. */
const RESERVED = [ANONYMOUS, "none"];

/** @returns the callers, or every problem of the file */
export function parseCallers(text: string, defaults: DurabilityDefaults): Callers | FileProblems {
  const value = parseJsonFile(CallersFile, text);
  if (value instanceof FileProblems) return value;
  const problems = [
    ...identityProblems(value.callers),
    ...value.callers.flatMap((entry, index) => rightsProblems(entry, `/callers/${index}`, defaults)),
    ...(value.anonymous === undefined ? [] : rightsProblems(value.anonymous, "/anonymous", defaults)),
  ];
  return problems.length > 0 ? new FileProblems(problems) : toCallers(value, text, defaults);
}

function toCallers(
  { callers: entries, anonymous }: CallersFile,
  text: string,
  defaults: DurabilityDefaults,
): Callers {
  const keys = new Map<string, CallerKey>();
  const callers = entries.map((entry) => {
    const caller = toCaller(entry.id, entry, defaults);
    for (const { sha256, expires_at, in_query: inQuery = false } of entry.keys) {
      const expiresMs = expires_at === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires_at);
      const digest = sha256.toLowerCase();
      keys.set(digest, { caller, digest: Buffer.from(digest, "hex"), expiresMs, inQuery });
    }
    return caller;
  });
  return { callers, keys, anonymous: anonymous && toCaller(ANONYMOUS, anonymous, defaults), text };
}

function toCaller(id: string, entry: AnonymousEntry, { defaultDurability }: DurabilityDefaults): Caller {
  const {
    event_types: types,
    topics,
    max_durability: maxDurability = "stored",
    limits = {},
    origins,
  } = entry;
  return Object.freeze({
    id,
    eventTypes: types && new NamePatterns(types),
    topics: topics && new NamePatterns(topics),
    defaultDurability: entry.default_durability ?? lower(defaultDurability, maxDurability),
    maxDurability,
    limits: toLimits(limits),
    limitsPerAddress: entry.limits_per_address && toLimits(entry.limits_per_address),
    origins: origins && new AllowedOrigins(origins),
  });
}

function toLimits(limits: NonNullable<AnonymousEntry["limits"]>): CallerLimits {
  return Object.freeze({
    eventsPerSecond: limits.events_per_second,
    burstEvents: limits.burst_events,
    bytesPerSecond: limits.bytes_per_second,
    burstBytes: limits.burst_bytes,
    eventsPerDay: limits.events_per_day,
    bytesPerDay: limits.bytes_per_day,
  });
}

/** Ids and keys that occur twice, or that mean something else. */
function identityProblems(entries: readonly CallerEntry[]): FileProblem[] {
  const problems: FileProblem[] = [];
  const places = new Map<string, string>();
  const claim = (kind: string, name: string, pointer: string) => {
    const earlier = places.get(kind + name);
    if (earlier === undefined) places.set(kind + name, pointer);
    else problems.push({ pointer, message: `is the same as ${earlier}` });
  };
  for (const [index, { id, keys }] of entries.entries()) {
    const place = `/callers/${index}`;
    if (RESERVED.includes(id))
      problems.push({ pointer: `${place}/id`, message: `"${id}" is reserved: choose another id` });
    claim("id ", id, `${place}/id`);
    for (const [n, { sha256 }] of keys.entries())
      claim("key ", sha256.toLowerCase(), `${place}/keys/${n}/sha256`);
  }
  return problems;
}

function rightsProblems(entry: AnonymousEntry, place: string, defaults: DurabilityDefaults): FileProblem[] {
  const problems: FileProblem[] = [];
  const addProblem = (pointer: string, message: string) =>
    problems.push({ pointer: place + pointer, message });
  const { default_durability: initial, max_durability: max = "stored", origins = [] } = entry;
  if (initial !== undefined && isHigher(initial, max))
    addProblem("/default_durability", `"${initial}" is higher than max_durability ("${max}")`);
  if (initial === "durable" && !defaults.hasJournal)
    addProblem("/default_durability", "durable requires the journal: JOURNAL_ENABLED=true");
  for (const member of ["limits", "limits_per_address"] as const)
    for (const unit of ["events", "bytes"] as const) {
      const { [member]: limits = {} } = entry;
      if (limits[`burst_${unit}`] !== undefined && limits[`${unit}_per_second`] === undefined)
        addProblem(`/${member}/burst_${unit}`, `requires ${unit}_per_second`);
    }
  for (const [index, origin] of origins.entries())
    if (!isOriginPattern(origin))
      addProblem(
        `/origins/${index}`,
        "must be an origin as browsers send it (https://example.com, without path or default port, in lower case), https://*.example.com for subdomains, or *",
      );
  return problems;
}

export function isHigher(durability: Durability, than: Durability): boolean {
  return durabilities.indexOf(durability) > durabilities.indexOf(than);
}

function lower(one: Durability, other: Durability): Durability {
  return isHigher(one, other) ? other : one;
}
