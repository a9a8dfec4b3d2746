// Every property that librdkafka knows, so that a setting is checked before a client is made.
import table from "./librdkafka-properties.json";

/** One property of librdkafka's CONFIGURATION.md. */
export interface LibrdkafkaProperty {
  /** Who takes it: consumers, producers, or both. */
  roles: "C" | "P" | "*";
  type: "integer" | "float" | "boolean" | "enum" | "text" | "callback";
  minimum?: number;
  maximum?: number;
  oneOf?: readonly string[];
  /** The property that it is an alias of. */
  aliasOf?: string;
  isDeprecated?: true;
}

/** By name, from the installed client's own document: `bun run generate`. */
export const librdkafkaProperties = table as Readonly<Record<string, LibrdkafkaProperty>>;

/** `linger.ms` → `KAFKA_LINGER_MS`. */
export function toEnvName(property: string): string {
  return `KAFKA_${property.replaceAll(".", "_").toUpperCase()}`;
}

/** The name under which librdkafka keeps it: `linger.ms` → `queue.buffering.max.ms`. */
export function canonicalName(property: string): string {
  return librdkafkaProperties[property]?.aliasOf ?? property;
}
