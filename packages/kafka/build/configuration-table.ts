// librdkafka's CONFIGURATION.md → src/librdkafka-properties.json. Nothing at run time reads the document.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { LibrdkafkaProperty } from "../src/librdkafka-properties.ts";

/** The document of the installed client. */
function readConfigurationTable(): string {
  const client = createRequire(import.meta.url).resolve("@confluentinc/kafka-javascript/package.json");
  return readFileSync(join(dirname(client), "deps/librdkafka/CONFIGURATION.md"), "utf8");
}

/** Every property, global ones first, sorted by name. Where a name stands in both tables the global one counts. */
function parseConfigurationTable(markdown: string): Record<string, LibrdkafkaProperty> {
  const rows = new Map<string, LibrdkafkaProperty>();
  for (const line of markdown.split("\n")) {
    const cells = line.split("|").map((cell) => cell.trim());
    const [name, roles, range, , , ...description] = cells;
    if (name === undefined || !/^[a-z][a-z0-9._]*$/.test(name) || !/^[CP*]$/.test(roles ?? "")) continue;
    if (!rows.has(name)) rows.set(name, toProperty(roles!, range!, description.join("|")));
  }
  return Object.fromEntries([...rows].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function toProperty(roles: string, range: string, description: string): LibrdkafkaProperty {
  const type = /\*Type: ([^*]+)\*/.exec(description)?.[1]?.trim() ?? "string";
  const alias = /^Alias for `([^`]+)`/.exec(description.replace(/^\*\*DEPRECATED\*\* /, ""))?.[1];
  const bounds = /^(-?\d+(?:\.\d+)?) \.\. (-?\d+(?:\.\d+)?)$/.exec(range);
  return {
    roles: roles as LibrdkafkaProperty["roles"],
    type: toType(type),
    ...(bounds ? { minimum: Number(bounds[1]), maximum: Number(bounds[2]) } : {}),
    ...(type === "enum value" ? { oneOf: range.split(",").map((value) => value.trim()) } : {}),
    ...(alias ? { aliasOf: alias } : {}),
    ...(description.startsWith("**DEPRECATED**") ? { isDeprecated: true } : {}),
  };
}

function toType(type: string): LibrdkafkaProperty["type"] {
  switch (type) {
    case "integer":
    case "float":
    case "boolean":
      return type;
    case "enum value":
      return "enum";
    case "see dedicated API":
      return "callback";
    default:
      return "text";
  }
}

/** src/librdkafka-properties.json, whole; one property a line. */
export function propertiesFile(): string {
  const rows = Object.entries(parseConfigurationTable(readConfigurationTable()));
  const lines = rows.map(([name, row]) => `  ${JSON.stringify(name)}: ${JSON.stringify(row)}`);
  return `{\n${lines.join(",\n")}\n}\n`;
}
