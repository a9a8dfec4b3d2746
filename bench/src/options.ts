// Flags and environment → the frozen, validated options of a run.
import { parseCommandLine, UsageError } from "@ingest/cli-flags";
import type { Durability } from "@ingest/contract";
import type { Env } from "@ingest/service";
import { command, type FlagValues } from "./flags.ts";

type ClientName = "socket" | "fetch";
export type BatchFormat = "json" | "ndjson";

/** Times are milliseconds. */
export interface Options {
  /** Where the service is, without the endpoint's path. */
  readonly url: URL;
  /** Requests to send; `Infinity` when only the duration ends the run. */
  readonly requests: number;
  readonly durationMs: number | undefined;
  readonly concurrency: number;
  /** Requests a second of the open loop; undefined is the closed loop. */
  readonly ratePerSecond: number | undefined;
  /** Events a request to `/register_events`; undefined sends single events to `/register_event`. */
  readonly batch: number | undefined;
  readonly format: BatchFormat;
  readonly durability: Durability | undefined;
  readonly client: ClientName;
  readonly timeoutMs: number;
  readonly users: number;
  readonly payloadBytes: number;
  readonly seed: number;
  /** undefined: no verification. */
  readonly verify: VerifyOptions | undefined;
  /** The file for the JSON report. */
  readonly jsonFile: string | undefined;
}

export interface VerifyOptions {
  readonly topic: string;
  /** `KAFKA_…` settings for the client, `KAFKA_BOOTSTRAP_SERVERS` included. */
  readonly env: Env;
  /** The verification ends when nothing new has been found for this long. */
  readonly idleMs: number;
}

/** Without --requests and --duration. */
const DEFAULT_REQUESTS = 100_000;

/**
 * Reads flags and environment.
 * @returns "help" for --help
 * @throws UsageError with every problem
 */
export function parseOptions(argv: readonly string[], env: Env): Options | "help" {
  const commandLine = parseCommandLine(command, argv);
  return commandLine === "help" ? commandLine : toOptions(commandLine.values, env);
}

function toOptions(values: FlagValues, env: Env): Options {
  const problems: string[] = [];
  if (values.format === "ndjson" && values.batch === undefined) {
    problems.push("--format ndjson needs --batch: only batches can be NDJSON");
  }
  const fetchLimit = Number(env.BUN_CONFIG_MAX_HTTP_REQUESTS ?? 256);
  if (values.client === "fetch" && values.concurrency > fetchLimit) {
    problems.push(
      `--concurrency ${values.concurrency} exceeds the number of concurrent requests of Bun's fetch: ` +
        `set BUN_CONFIG_MAX_HTTP_REQUESTS=${values.concurrency} in the environment, or use --client socket`,
    );
  }
  if (problems.length > 0) throw new UsageError(...problems);
  return Object.freeze({
    url: withoutEndpoint(new URL(values.url)),
    requests: values.requests ?? (values.duration === undefined ? DEFAULT_REQUESTS : Infinity),
    durationMs: values.duration,
    concurrency: values.concurrency,
    ratePerSecond: values.rate,
    batch: values.batch,
    format: values.format,
    durability: values.durability,
    client: values.client,
    timeoutMs: values.timeout,
    users: values.users,
    payloadBytes: values["payload-bytes"],
    seed: values.seed,
    verify: values.verify
      ? {
          topic: values.topic ?? (env.KAFKA_TOPIC || "events"),
          env: kafkaEnv(env, values["bootstrap-servers"]),
          idleMs: values["verify-timeout"],
        }
      : undefined,
    jsonFile: values.json,
  });
}

/** Accepts the URL of an endpoint, too: --batch decides which endpoint is used. */
function withoutEndpoint(url: URL): URL {
  const base = new URL(url);
  base.pathname = base.pathname.replace(/\/register_events?\/?$/, "/");
  base.hash = "";
  return base;
}

function kafkaEnv(env: Env, bootstrapServers: string | undefined): Env {
  const kafka = Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith("KAFKA_")));
  return bootstrapServers === undefined ? kafka : { ...kafka, KAFKA_BOOTSTRAP_SERVERS: bootstrapServers };
}
