import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { settingsTable } from "./settings-table.ts";

test("a row has the accepted values, the default and the description", () => {
  expect(
    settingsTable({
      PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 3000, description: "Where it listens." }),
      WORKERS: Type.Union([Type.Literal("auto"), Type.Integer({ minimum: 1 })], { default: 1 }),
      PASSWORD: Type.Optional(Type.String({ description: "a | b" })),
      ON: Type.Boolean({ default: false }),
    }),
  ).toEqual([
    "| name | values | default | description |",
    "| --- | --- | --- | --- |",
    "| `PORT` | 0 … 65,535 | `3000` | Where it listens. |",
    "| `WORKERS` | `auto`, from 1 | `1` |  |",
    "| `PASSWORD` | secret text, or `PASSWORD_FILE` |  | a \\| b |",
    "| `ON` | `true`, `false` | `false` |  |",
  ]);
});

test("librdkafka's names have a column if there are any", () => {
  expect(settingsTable({ KAFKA_ACKS: Type.String({ librdkafka: "acks" }), OTHER: Type.String() })).toEqual([
    "| name | librdkafka | values | default | description |",
    "| --- | --- | --- | --- | --- |",
    "| `KAFKA_ACKS` | `acks` | text |  |  |",
    "| `OTHER` |  | text |  |  |",
  ]);
});
