// What a run is told to do: flags and environment → one frozen, checked object.
import { parseCommandLine, UsageError } from "@ingest/cli-flags";
import { command, type FlagValues } from "./flags.ts";

export type Env = Readonly<Record<string, string | undefined>>;
type ClientName = "socket" | "fetch";
type Durability = "accepted" | "durable" | "stored";
export type BatchFormat = "json" | "ndjson";

/** Everything `run` needs. Times are milliseconds. */
export interface Options {
  /** Without the endpoint. */
  readonly url: URL;
  /** Requests to send; `Infinity` when only the time ends the run. */
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
  /** undefined: not asked for. */
  readonly verify: VerifyOptions | undefined;
  /** Where the JSON report goes. */
  readonly jsonFile: string | undefined;
}

export interface VerifyOptions {
  readonly topic: string;
  /** `KAFKA_…` settings for the client, `KAFKA_BOOTSTRAP_SERVERS` included. */
  readonly env: Env;
  /** The search ends when nothing new has been found for so long. */
  readonly idleMs: number;
}

/** What a run sends when neither --requests nor --duration says otherwise. */
const DEFAULT_REQUESTS = 100_000;

/**
 * Reads flags and environment.
 * @returns "help" when it was asked for
 * @throws UsageError naming every problem
 */
export function parseOptions(argv: readonly string[], env: Env): Options | "help" {
  const commandLine = parseCommandLine(command, argv);
  return commandLine === "help" ? commandLine : toOptions(commandLine.values, env);
}

function toOptions(values: FlagValues, env: Env): Options {
  const problems: string[] = [];
  if (values.format === "ndjson" && values.batch === undefined) {
    problems.push("--format ndjson is about batches: it needs --batch");
  }
  const fetchLimit = Number(env.BUN_CONFIG_MAX_HTTP_REQUESTS ?? 256);
  if (values.client === "fetch" && values.concurrency > fetchLimit) {
    problems.push(
      `--concurrency ${values.concurrency} is more than Bun's fetch does at a time: ` +
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

/** People paste the whole address of an endpoint; which one is fired at is for --batch to say. */
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
