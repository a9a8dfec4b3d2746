// The API against requests made from its own OpenAPI document: every answer is one that the document has.
// More of them: FUZZ_EXAMPLES=4000 FUZZ_SEED=7 bun test test/fuzz
import { describe, expect, test } from "bun:test";
import { sharedBroker } from "@ingest/broker";
import { startProducer } from "../integration/producer-process.ts";
import { fuzz, installSchemathesis } from "./schemathesis.ts";

const examples = process.env.FUZZ_EXAMPLES ?? "100";
const seed = process.env.FUZZ_SEED ?? "1";
const installed = await installSchemathesis();
const LIMIT_MS = Math.max(120_000, Number(examples) * 200);

// One bad event doesn't cost the others of a batch: 207 for a body that breaks the schema is meant.
const operations = [
  ["single events and all that is not a batch", ["--exclude-path", "/register_events"]],
  ["batches", ["--include-path", "/register_events", "--exclude-checks", "negative_data_rejection"]],
] as const;

describe("the API by its own document", () => {
  test.skipIf("reason" in installed).each(operations)(
    "%s: no answer that it doesn't know, no 500, and a valid event right after is taken",
    async (_, flags) => {
      const { bootstrapServers } = await sharedBroker();
      await using producer = await startProducer({
        env: {
          KAFKA_BOOTSTRAP_SERVERS: bootstrapServers,
          KAFKA_TOPIC: `fuzz-${crypto.randomUUID()}`,
        },
      });
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
      const answer = await producer.post("/register_event", { event_type: "after the fuzz" });
      expect(answer.status).toBe(202);
      expect(producer.lines.filter(({ level }) => level === "error" || level === "fatal")).toEqual([]);
    },
    LIMIT_MS,
  );
});
if ("reason" in installed) console.log(`left out: ${installed.reason}`);
