import { describe, expect, test } from "bun:test";
import { parseSettings } from "@ingest/service";
import { Value } from "@sinclair/typebox/value";
import { librdkafkaProperties, toEnvName } from "./librdkafka-properties.ts";
import { allKafkaSettings, topicSettings } from "./settings.ts";

const rows = Object.entries(allKafkaSettings);
const librdkafkaRows = rows.filter(([, row]) => row.librdkafka !== undefined);

test.each(["a", "A.b_c-9", "...", "x".repeat(249)])("%j is a topic name", (name) => {
  expect(parseSettings(topicSettings, { KAFKA_TOPIC: name }).KAFKA_TOPIC).toBe(name);
});

test.each([".", "..", "a b", "a/b", "ü", "a\n", "x".repeat(250)])("%j is refused with the rule", (name) => {
  expect(() => parseSettings(topicSettings, { KAFKA_TOPIC: name })).toThrow(
    "must be a topic name: 1 to 249 letters, digits, '.', '_' and '-', and neither '.' nor '..'",
  );
});

describe("the settings table", () => {
  test.each(librdkafkaRows)(
    "%s bears librdkafka's name in capitals and a property that exists",
    (name, row) => {
      expect(toEnvName(row.librdkafka)).toBe(name);
      expect(librdkafkaProperties).toHaveProperty([row.librdkafka]);
    },
  );

  test.each(librdkafkaRows.filter(([, row]) => row.type === "integer"))(
    "%s stays in librdkafka's range",
    (_, row) => {
      const property = librdkafkaProperties[row.librdkafka]!;
      expect(row.minimum).toBeGreaterThanOrEqual(property.minimum!);
      expect(row.maximum).toBeLessThanOrEqual(property.maximum!);
    },
  );

  test.each(rows)("%s has a description and a valid default", (_, row) => {
    expect(row.description!.length).toBeGreaterThan(10);
    if (row.default !== undefined) expect(Value.Check(row, row.default)).toBe(true);
  });
});
