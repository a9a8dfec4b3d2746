// CALLERS_FILE, parsed: the callers and their keys, or every problem of the file.
import { type Durability, durabilities } from "@ingest/contract";
import { type ValueError, ValueErrorType } from "@sinclair/typebox/compiler";
import { Value } from "@sinclair/typebox/value";
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

/** One problem of the file: the member's JSON pointer (RFC 6901; `""` is the file itself), and what to change. */
export interface FileProblem {
  readonly pointer: string;
  readonly message: string;
}

/** Every problem of a file. */
export class FileProblems {
  constructor(readonly problems: readonly FileProblem[]) {}
}

/** Ids that stand for requests without a caller. */
const RESERVED = [ANONYMOUS, "none"];

/** @returns the callers, or every problem of the file */
export function parseCallers(text: string, defaults: DurabilityDefaults): Callers | FileProblems {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return new FileProblems([{ pointer: "", message: `is not JSON: ${(error as Error).message}` }]);
  }
  if (!Value.Check(CallersFile, value)) return new FileProblems(schemaProblems(value));
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

/** The first error of each member is the clearest one: "required" comes before the errors of `undefined`. */
function schemaProblems(value: unknown): FileProblem[] {
  const messages = new Map<string, string>();
  for (const error of Value.Errors(CallersFile, value))
    if (!messages.has(error.path)) messages.set(error.path, messageFor(error));
  return [...messages].map(([pointer, message]) => ({ pointer, message }));
}

function messageFor({ type, schema, message, value }: ValueError): string {
  switch (type) {
    case ValueErrorType.ObjectRequiredProperty:
      return "is required";
    case ValueErrorType.ObjectAdditionalProperties:
      return "is not a member that is known here";
    case ValueErrorType.ArrayMinItems:
      return "must not be empty: leave it out, or list at least one";
    case ValueErrorType.ArrayUniqueItems:
      return "lists something twice";
    case ValueErrorType.StringFormat:
      return "must be an RFC 3339 date-time, such as 2027-01-31T00:00:00Z";
    case ValueErrorType.StringPattern:
      return schema.title ?? `must match ${schema.pattern}`;
    case ValueErrorType.Union:
      return `must be one of ${durabilities.join(", ")}`;
    case ValueErrorType.IntegerMaximum:
      return `must not be more than ${schema.maximum}, got ${JSON.stringify(value)}`;
    case ValueErrorType.IntegerMinimum:
    case ValueErrorType.Integer:
      return `must be an integer from ${schema.minimum}, got ${JSON.stringify(value)}`;
    default:
      return message.charAt(0).toLowerCase() + message.slice(1);
  }
}
