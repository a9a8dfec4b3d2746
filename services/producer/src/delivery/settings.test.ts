import { describe, expect, test } from "bun:test";
import { parseSettings } from "@ingest/service";
import { Type } from "@sinclair/typebox";
import { checkPromises, deliverySettings } from "./settings.ts";

const properties = {
  ...deliverySettings,
  KAFKA_MESSAGE_TIMEOUT_MS: Type.Integer({ default: 30_000 }),
  KAFKA_ACKS: Type.Union([Type.Literal("all"), Type.Literal(-1), Type.Literal(0), Type.Literal(1)], {
    default: "all",
  }),
};
const problemsOf = (env: Record<string, string>) =>
  checkPromises(parseSettings(properties, env)).map((p) => p.name);

describe("settings under which a promise couldn't be kept don't boot", () => {
  test("the defaults do", () => expect(problemsOf({})).toEqual([]));

  test("the client would send on after the deadline", () =>
    expect(problemsOf({ STORED_DEADLINE_MS: "29999" })).toEqual(["KAFKA_MESSAGE_TIMEOUT_MS"]));

  test("the client would give up single events before they are taken back together", () => {
    expect(problemsOf({ DELIVERY_STALL_MS: "30000" })).toEqual(["DELIVERY_STALL_MS"]);
    expect(problemsOf({ DELIVERY_STALL_MS: "30000", JOURNAL_ENABLED: "false" })).toEqual([]);
  });

  test("stored without all in-sync replicas", () => {
    expect(problemsOf({ KAFKA_ACKS: "1" })).toEqual(["KAFKA_ACKS"]);
    expect(problemsOf({ KAFKA_ACKS: "-1" })).toEqual([]);
  });

  test("a journal of less than two files", () =>
    expect(problemsOf({ JOURNAL_MAX_BYTES: "1048576" })).toEqual(["JOURNAL_SEGMENT_BYTES"]));

  test("rules are shown through parseSettings as any problem is", () =>
    expect(() => parseSettings(properties, { STORED_DEADLINE_MS: "1000" }, [checkPromises])).toThrow(
      "must not be more than STORED_DEADLINE_MS (1000)",
    ));
});
