// Requests generated from the API's OpenAPI document: every response must conform to it.
// A longer run: FUZZ_EXAMPLES=4000 FUZZ_SEED=7 bun test test/fuzz
import { describe, expect, test } from "bun:test";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { startProducer } from "@ingest/testkit/service";
import { fuzz, installSchemathesis } from "./schemathesis.ts";

const examples = process.env.FUZZ_EXAMPLES ?? "100";
const seed = process.env.FUZZ_SEED ?? "1";
const installed = await installSchemathesis();
const LIMIT_MS = Math.max(120_000, Number(examples) * 200);

// A batch with invalid events is accepted in part, with 207, so "negative data" is not rejected as a whole.
const operations = [
  ["all operations but batches", ["--exclude-path", "/register_events"]],
  ["batches", ["--include-path", "/register_events", "--exclude-checks", "negative_data_rejection"]],
] as const;

describe("the API conforms to its OpenAPI document", () => {
  test.skipIf("reason" in installed).each(operations)(
    "%s: documented responses only, no 500, and a valid event is accepted afterwards",
    async (_, flags) => {
      await using kafka = await KafkaFixture.shared();
      await using producer = await startProducer({ env: { ...kafka.env, KAFKA_TOPIC: kafka.topicName() } });
      const { command } = installed as { command: string };
      const result = await fuzz(command, producer.url, [
        ...flags,
        "--max-examples",
        examples,
        "--seed",
        seed,
      ]);
      expect(result.isClean, result.output).toBe(true);
      expect(result.cases).toBeGreaterThan(Number(examples));
      console.log(`${result.cases} requests, seed ${seed}`);
      const response = await producer.post("/register_event", { event_type: "after the fuzz" });
      expect(response.status).toBe(202);
      expect(producer.lines.filter(({ level }) => level === "error" || level === "fatal")).toEqual([]);
    },
    LIMIT_MS,
  );
});
if ("reason" in installed) console.log(`skipped: ${installed.reason}`);
