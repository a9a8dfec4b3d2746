// KAFKA_* variables without a row in the settings table: passed to librdkafka after a check against its own list.

import { type Env, fileNames, nearestName, readSecretFiles, type SettingProblem } from "@ingest/service";
import {
  canonicalName,
  type LibrdkafkaProperty,
  librdkafkaProperties,
  toEnvName,
} from "./librdkafka-properties.ts";
import { allKafkaSettings, type ClientRole } from "./settings.ts";

/** The variables of an environment that no row of the settings table covers. */
export interface PassThrough {
  config: Record<string, string>;
  problems: SettingProblem[];
}

/** KAFKA_* variables that are not meant for clients. */
const FOREIGN_NAMES = [
  // What Apache Kafka's own scripts read.
  /^KAFKA_(HOME|OPTS|HEAP_OPTS|JVM_PERFORMANCE_OPTS|JMX_OPTS|JMX_PORT|LOG4J_OPTS|GC_LOG_OPTS|VERSION|CLUSTER_ID)$/,
  // What Kubernetes puts into every container beside a service called kafka.
  /^KAFKA_(.+_)?(SERVICE_HOST|SERVICE_PORT|PORT)(_.*)?$/,
  // This repository's tests and the addon's build, and what only one of its services reads.
  /^KAFKA_(TEST|NATIVE|DEAD_LETTER)_/,
];

/** Properties that only this package may set, and why. Keys are librdkafka's canonical names. */
const RESERVED: Readonly<Record<string, string>> = {
  "enable.auto.commit": "offsets are committed once their records are handled, never by a clock",
  "enable.auto.offset.store": "offsets are committed once their records are handled, never by a clock",
  "enable.partition.eof": "the consumer and the topic reader need it",
  "delivery.report.only.error": "the outbox reports outcomes",
  "transactional.id": "the producer isn't transactional",
  "log.queue": "the client forwards logs itself",
  enabled_events: "the client chooses its events itself",
  "test.mock.num.brokers": "to start an in-memory broker, run `bun run broker --embedded`",
};

const propertyByEnvName = new Map(Object.keys(librdkafkaProperties).map((name) => [toEnvName(name), name]));
const envNameByCanonical = new Map(
  Object.entries(allKafkaSettings).flatMap(([env, row]) =>
    typeof row.librdkafka === "string" ? [[canonicalName(row.librdkafka), env] as const] : [],
  ),
);

/**
 * Collects the KAFKA_* variables that aren't in the table.
 * @param known further names that the service reads itself
 */
export function readPassThrough(env: Env, role: ClientRole, known: Iterable<string> = []): PassThrough {
  const settings = [...Object.keys(allKafkaSettings), ...known];
  const skip = new Set([...settings, ...fileNames(settings)]);
  const others = [...propertyByEnvName.keys()].filter((name) => !skip.has(name));
  const files = readSecretFiles(env, others);
  const config: Record<string, string> = {};
  const problems = [...files.problems];
  for (const [name, value] of Object.entries(files.env)) {
    if (value === undefined || value === "" || !name.startsWith("KAFKA_") || skip.has(name)) continue;
    if (FOREIGN_NAMES.some((pattern) => pattern.test(name))) continue;
    const property = propertyByEnvName.get(name);
    // An unknown name may be a mistyped secret's, so its value is not shown.
    if (property === undefined) {
      problems.push({ name, value: undefined, message: unknownName(name, skip) });
      continue;
    }
    const message = refusal(property, value);
    if (message !== undefined) problems.push({ name, value, message });
    else if (takes(role, librdkafkaProperties[property]!)) config[property] = value.trim();
  }
  return { config, problems };
}

/** The KAFKA_* variables that aren't in the table, with their values, by name: for reports. */
export function passThroughSettings(
  env: Env,
  role: ClientRole,
  known: Iterable<string>,
): Record<string, string> {
  const { config } = readPassThrough(env, role, known);
  return Object.fromEntries(Object.entries(config).map(([property, value]) => [toEnvName(property), value]));
}

function takes(role: ClientRole, { roles }: LibrdkafkaProperty): boolean {
  return roles === "*" || (role === "producer" && roles === "P") || (role === "consumer" && roles === "C");
}

function refusal(property: string, value: string): string | undefined {
  const row = librdkafkaProperties[property]!;
  const reserved = RESERVED[canonicalName(property)] ?? RESERVED[property];
  if (reserved !== undefined) return `can't be set: ${reserved}`;
  const envName = envNameByCanonical.get(canonicalName(property));
  if (envName !== undefined) return `is an alias: use ${envName}`;
  if (row.type === "callback") return "is a callback and can't be set by a variable";
  return valueProblem(row, value.trim());
}

function valueProblem(row: LibrdkafkaProperty, value: string): string | undefined {
  switch (row.type) {
    case "integer":
    case "float": {
      const number = /^[+-]?\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
      const isRight =
        number >= (row.minimum ?? -Infinity) &&
        number <= (row.maximum ?? Infinity) &&
        (row.type === "float" || Number.isInteger(number));
      return isRight ? undefined : `must be a number from ${row.minimum} to ${row.maximum}`;
    }
    case "boolean":
      return value === "true" || value === "false" ? undefined : "must be true or false";
    case "enum":
      return row.oneOf?.includes(value) === false ? `must be one of ${row.oneOf.join(", ")}` : undefined;
    default:
      return undefined;
  }
}

function unknownName(name: string, known: ReadonlySet<string>): string {
  const properties = [...propertyByEnvName.keys()];
  const nearest = nearestName(name, [...known, ...properties, ...fileNames(properties)]);
  return `is not a librdkafka property${nearest === undefined ? "" : `: did you mean ${nearest}?`}`;
}
