import { expect, test } from "bun:test";
import { allKafkaSettings } from "./settings.ts";
import { kafkaSettingsDocument } from "./settings-document.ts";

const lines = kafkaSettingsDocument().split("\n");

test.each(Object.keys(allKafkaSettings))("%s has one line", (name) => {
  expect(lines.filter((line) => line.startsWith(`| \`${name}\` |`))).toHaveLength(1);
});

test("a line says what it is, what it takes, what it is by default and why", () => {
  expect(lines).toContain(
    "| `KAFKA_LINGER_MS` | `linger.ms` | 0 … 900,000 | `5` | How long a record waits for company. 5 ms fills " +
      "batches at a few thousand records a second. |",
  );
});

test("every row has as many cells as its head", () => {
  for (const line of lines.filter((l) => l.startsWith("|"))) expect(line.match(/(?<!\\)\|/g)).toHaveLength(6);
});

test("docs/settings-kafka.md is what the table says", async () => {
  const document = Bun.file(new URL("../../../docs/settings-kafka.md", import.meta.url));
  expect(await document.text()).toBe(kafkaSettingsDocument());
});
