// Writes src/librdkafka-properties.json from librdkafka's own CONFIGURATION.md.
// Run it after a change of the client's version: bun packages/kafka/build/generate-properties.ts
import { parseConfigurationTable, readConfigurationTable } from "./configuration-table.ts";

const rows = parseConfigurationTable(readConfigurationTable());
const target = new URL("../src/librdkafka-properties.json", import.meta.url);
const lines = Object.entries(rows).map(([name, row]) => `  ${JSON.stringify(name)}: ${JSON.stringify(row)}`);
await Bun.write(target, `{\n${lines.join(",\n")}\n}\n`);
console.log(`${lines.length} properties written to ${target.pathname}`);
