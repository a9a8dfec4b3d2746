import { expect, test } from "bun:test";
import { problemCodes, problems } from "@ingest/contract";
import { toKafkaError } from "@ingest/kafka";
import { RefusalCounter } from "./refusals.ts";
import type { RefusalCode } from "./types.ts";

const codes = problemCodes.filter((code): code is RefusalCode => "refusal" in problems[code]);

test.each(codes)("the refusal %s says what to do next exactly where it can be sent again", (code) => {
  const { detail, retryAfterSeconds } = new RefusalCounter().refuse(code);
  expect(retryAfterSeconds !== undefined).toBe(problems[code].status === 503);
  expect(detail.includes("send it again after Retry-After")).toBe(problems[code].status === 503);
});

test("so does the refusal of an event that Kafka refused: for a setting, and not for the event itself", () => {
  const refuseFor = (code: number) => new RefusalCounter().refuseFor(toKafkaError(code));
  const setting = refuseFor(29);
  expect(setting.code).toBe("kafka_misconfigured");
  expect(setting.detail).toEndWith(". Send it again after Retry-After.");
  const tooLarge = refuseFor(10);
  expect(tooLarge.code).toBe("too_large");
  expect(tooLarge.detail).not.toContain("Retry-After");
});
