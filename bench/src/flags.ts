// The command line of the load generator.
import type { Command, CommandLine, Flag } from "@ingest/cli-flags";

const flags = {
  url: {
    kind: "url",
    value: "URL",
    default: "http://localhost:3000",
    help: "the producer; the bench adds /register_event or /register_events",
  },
  requests: {
    kind: "integer",
    min: 1,
    value: "N",
    help: "stop after N requests (default 100000 unless --duration is given)",
  },
  duration: {
    kind: "duration",
    value: "TIME",
    help: "stop after TIME: 30s, 500ms, 2m; a bare number is seconds",
  },
  concurrency: {
    kind: "integer",
    min: 1,
    max: 65_536,
    value: "N",
    default: "64",
    help: "connections, each with one request at a time",
  },
  rate: {
    kind: "number",
    max: 10_000_000,
    unit: "requests a second",
    value: "R",
    help: "open loop: R requests a second, however slow the responses; latency counts from the intended send time",
  },
  batch: {
    kind: "integer",
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
    help: "durability to request, as Prefer: durability=… (default: the service decides)",
  },
  client: {
    kind: "choice",
    of: ["socket", "fetch"],
    default: "socket",
    help: "HTTP over Bun.connect, or Bun's fetch at more than twice the CPU time a request",
  },
  timeout: { kind: "duration", value: "TIME", default: "30s", help: "give up on a request after TIME" },
  users: {
    kind: "integer",
    min: 0,
    max: 1_000_000_000,
    value: "N",
    default: "1000",
    help: "distinct user ids, which become the records' keys; 0 sends none",
  },
  "payload-bytes": {
    kind: "integer",
    min: 0,
    max: 16 * 1024 * 1024,
    value: "N",
    default: "200",
    help: "text in each event's payload",
  },
  seed: {
    kind: "integer",
    min: 0,
    max: 0xffff_ffff,
    value: "N",
    default: "1",
    help: "for user ids and payloads; event ids are new in every run",
  },
  verify: {
    kind: "switch",
    help: "look for every accepted event in the topic afterwards; exit code 1 if one is missing",
  },
  "verify-timeout": {
    kind: "duration",
    value: "TIME",
    default: "15s",
    help: "stop looking when nothing new has arrived for TIME",
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
    help: "also write the report as JSON (schema: bench/schema/report.schema.json)",
  },
} as const satisfies Record<string, Flag>;

export type FlagValues = CommandLine<typeof flags>["values"];

export const command: Command<typeof flags> = {
  name: "bun run bench",
  about: "Sends events to the producer, and reports throughput, latency and the outcome of every event.",
  flags,
  notes: `Sending needs Bun alone. --verify also needs Kafka and the native client (KAFKA_… settings as for the services).
Ctrl-C stops sending and reports what was done; a second Ctrl-C also stops the verification.
Exit code: 0 success; 1 an event is missing, nothing was accepted or the verification failed;
           2 invalid flags; 3 nothing listens at the URL.`,
};
