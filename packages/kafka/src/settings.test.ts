import { describe, expect, test } from "bun:test";
import { Value } from "@sinclair/typebox/value";
import { librdkafkaProperties, toEnvName } from "./librdkafka-properties.ts";
import { allKafkaSettings } from "./settings.ts";

const rows = Object.entries(allKafkaSettings);
const librdkafkaRows = rows.filter(([, row]) => row.librdkafka !== undefined);

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
