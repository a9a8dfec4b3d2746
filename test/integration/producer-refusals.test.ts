// Records that a real broker refuses: only the record at fault is refused, and a setting at fault costs no event.
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { producerSettings, toClientConfig, topicSettings } from "@ingest/kafka";
import { createLog, logSettings, parseSettings } from "@ingest/service";
import { temporaryFolder, until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import {
  createDelivery,
  type Delivery,
  deliverySettings,
  toTopicLimits,
} from "../../services/producer/src/delivery/index.ts";
import { batchBytes } from "../../services/producer/src/delivery/topic-limits.ts";
import { rejectedFiles } from "../../services/producer/src/rejected/files.ts";
import { replayRejected } from "../../services/producer/src/rejected/replay.ts";

const TIMEOUT_MS = 60_000;
const kafka = await KafkaFixture.shared();
afterAll(() => kafka[Symbol.asyncDispose]());

interface Harness extends AsyncDisposable {
  topic: string;
  journalDir: string;
  delivery: Delivery;
  /** The keys and values in the file of rejected events. */
  rejected(): { key: string | null; code: string; value: string }[];
}

async function start(
  config: Record<string, string>,
  env: Record<string, string> = {},
  partitions = 1,
): Promise<Harness> {
  const topic = kafka.topicName();
  await kafka.admin.ensureTopic({ topic, partitions, replicationFactor: 1, config });
  const home = temporaryFolder("refusals");
  const settings = parseSettings(
    { ...deliverySettings, ...producerSettings, ...topicSettings, ...logSettings },
    { ...kafka.env, KAFKA_TOPIC: topic, JOURNAL_DIR: home.path, LOG_LEVEL: "silent", ...env },
    [],
  );
  const delivery = createDelivery({
    settings,
    config: toClientConfig(settings, "producer", {}),
    log: createLog("producer", settings),
  });
  await delivery.start();
  await until("a connection", () => delivery.state().connected && delivery.refuse() === undefined);
  return {
    topic,
    journalDir: home.path,
    delivery,
    rejected() {
      const path = join(home.path, "worker-0", "rejected.ndjson");
      if (!existsSync(path)) return [];
      const lines = readFileSync(path, "utf8").trim().split("\n");
      return lines.map((line) => {
        const { key, code, value } = JSON.parse(line);
        return { key, code, value: Buffer.from(value, "base64").toString() };
      });
    },
    async [Symbol.asyncDispose]() {
      await delivery.stop(5_000);
      home[Symbol.dispose]();
    },
  };
}

const event = (value: string, key: string | null) => ({ id: value, key, value, receivedMs: Date.now() });
const settled = ({ delivery }: Harness) =>
  until(
    "everything to have an outcome",
    () => {
      const { inFlight, spooling, journal } = delivery.state();
      return inFlight === 0 && !spooling && (journal?.records ?? 0) === 0;
    },
    30_000,
  );

const values = async (topic: string) => (await kafka.read(topic)).map(({ value }) => value!.toString());

test.each(["true", "false"])(
  "an event without a key on a compacted topic is refused alone (journal: %s)",
  async (isJournalled) => {
    await using harness = await start({ "cleanup.policy": "compact" }, { JOURNAL_ENABLED: isJournalled });
    const { delivery, topic } = harness;
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        delivery.stored(event(`v${n}`, n === 20 ? null : `k${n}`), 20_000),
      ),
    );
    expect(outcomes.filter(({ status }) => status === "stored")).toHaveLength(49);
    expect(outcomes[20]).toMatchObject({ status: "refused", code: "event_rejected" });
    const expected = Array.from({ length: 50 }, (_, n) => `v${n}`).filter((_, n) => n !== 20);
    expect(await values(topic)).toEqual(expected);
  },
  TIMEOUT_MS,
);

// Fault: events that were handed over between a refusal and its outcomes became unknown, or without a journal were lost.
test.each(["true", "false"])(
  "under load, a refusal is of its own event alone (journal: %s)",
  async (isJournalled) => {
    await using harness = await start({ "cleanup.policy": "compact" }, { JOURNAL_ENABLED: isJournalled }, 6);
    const { delivery, topic } = harness;
    const pending: Promise<{ value: string; outcome: Awaited<ReturnType<Delivery["stored"]>> }>[] = [];
    const accepted: string[] = [];
    const submit = (value: string, key: string | null) =>
      pending.push(delivery.stored(event(value, key), 30_000).then((outcome) => ({ value, outcome })));
    for (let turn = 0; turn < 2_000; turn++) {
      for (let n = 0; n < 5; n++) submit(`s${turn}-${n}`, `k${turn}-${n}`);
      if (delivery.accept(event(`a${turn}`, `a${turn}`)).status === "accepted") accepted.push(`a${turn}`);
      if (turn % 100 === 50) submit(`guilty ${turn}`, null);
      await new Promise(setImmediate);
    }
    const outcomes = await Promise.all(pending);
    await settled(harness);
    const withStatus = (status: string) => outcomes.filter(({ outcome }) => outcome.status === status);
    expect(withStatus("unknown")).toEqual([]);
    // While the events of a refused batch are sent again, others are refused for now.
    for (const { value, outcome } of withStatus("refused"))
      if (!value.startsWith("guilty")) expect(outcome).toHaveProperty("retryAfterSeconds");
    const stored = withStatus("stored").map(({ value }) => value);
    expect((await values(topic)).toSorted()).toEqual([...stored, ...accepted].toSorted());
    expect(delivery.state().counts.lost).toBe(0);
    expect(harness.rejected()).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  "an event larger than max.message.bytes of the topic is set aside, and the batches shrink",
  async () => {
    await using harness = await start({ "max.message.bytes": "5000" }, { KAFKA_COMPRESSION_TYPE: "none" });
    const { delivery, topic } = harness;
    const small = Array.from({ length: 1_000 }, (_, n) => `${n}:${"x".repeat(200)}`);
    for (const [n, value] of small.entries()) {
      expect(delivery.accept(event(value, "k")).status).toBe("accepted");
      if (n === 300 || n === 600)
        expect((await delivery.durable(event(`large ${n} ${"y".repeat(20_000)}`, "k"))).status).toBe(
          "durable",
        );
    }
    await settled(harness);
    expect(await values(topic)).toEqual(small);
    expect(harness.rejected().map(({ code, value }) => [code, value.slice(0, 9)])).toEqual([
      ["message_too_large", "large 300"],
      ["message_too_large", "large 600"],
    ]);
  },
  TIMEOUT_MS,
);

// The timestamp of a record is that of its sending, and it is older than 1 ms when the broker looks at it.
test(
  "a timestamp that the topic doesn't allow is the setting's fault: durable events stay, and go once it has changed",
  async () => {
    await using harness = await start({ "message.timestamp.before.max.ms": "1" }, { KAFKA_LINGER_MS: "50" });
    const { delivery, topic } = harness;
    expect(await delivery.stored(event("awaited", "k"), 20_000)).toMatchObject({
      status: "refused",
      code: "kafka_misconfigured",
      detail: expect.stringContaining("message.timestamp.before.max.ms"),
    });
    await until("the client to be replaced", () => !delivery.state().spooling);
    const outcomes = await Promise.all(["a", "b", "c"].map((value) => delivery.durable(event(value, "k"))));
    expect(outcomes.map(({ status }) => status)).toEqual(["durable", "durable", "durable"]);
    await until("a refusal", () => delivery.state().failing !== undefined, 20_000);
    expect(delivery.state()).toMatchObject({
      ready: true,
      failing: { code: "invalid_timestamp" },
      journal: { records: 3 },
    });
    expect(harness.rejected()).toEqual([]);

    await kafka.setTopicConfig(topic, { "message.timestamp.before.max.ms": null });
    await settled(harness);
    expect(await values(topic)).toEqual(["a", "b", "c"]);
    expect(delivery.state().failing).toBeUndefined();
    expect(harness.rejected()).toEqual([]);
  },
  TIMEOUT_MS,
);

test(
  "rejected events are put back, and stay while they are rejected again",
  async () => {
    await using harness = await start({ "cleanup.policy": "compact" });
    const { delivery, journalDir, topic } = harness;
    expect((await delivery.durable(event("no key", null))).status).toBe("durable");
    await until("the event to be set aside", () => harness.rejected().length === 1);
    await settled(harness);

    const outcomes: (string | undefined)[] = [];
    const replay = () =>
      replayRejected({
        config: kafka.config({}),
        journalDir,
        topic,
        onOutcome: (_, error) => outcomes.push(error?.code),
      });
    expect(await replay()).toEqual({ stored: 0, refused: 1 });
    const [file] = rejectedFiles(journalDir);
    const other = await kafka.createTopic(1);
    writeFileSync(file!, readFileSync(file!, "utf8").replace(topic, other));
    expect(await replay()).toEqual({ stored: 1, refused: 0 });
    expect(outcomes).toEqual(["invalid_record", undefined]);
    expect(await values(other)).toEqual(["no key"]);
    expect(rejectedFiles(journalDir)).toEqual([]);
  },
  TIMEOUT_MS,
);

describe("the topic's own limits", () => {
  test("are read, and the size on the wire is computed to the byte", async () => {
    const value = "é".repeat(1_000);
    const headers = [["ce_id", "é"] as const, ["none", null] as const];
    const bytes = batchBytes("k", value, headers);
    const config = { "max.message.bytes": String(bytes), "cleanup.policy": "compact" };
    await using harness = await start(config, { KAFKA_COMPRESSION_TYPE: "none" });
    const { delivery, topic } = harness;
    const limits = toTopicLimits(await kafka.admin.topicConfig(topic));
    expect(limits).toEqual({ isCompacted: true, maxBatchBytes: bytes });
    const larger = { ...event(`${value}x`, "k"), headers };
    const largest = { ...event(value, "k"), headers };
    expect((await delivery.stored(largest, 20_000)).status).toBe("stored");
    expect(await delivery.stored(larger, 20_000)).toMatchObject({ status: "refused", code: "too_large" });
    const { failed } = delivery.state().counts;
    expect(failed.message_too_large).toBe(1);

    delivery.setTopicLimits(limits);
    expect(delivery.accept(larger)).toMatchObject({ status: "refused", code: "too_large" });
    expect(await delivery.durable(event("v", null))).toMatchObject({ code: "key_required" });
    await settled(harness);
    expect((await delivery.stored(largest, 20_000)).status).toBe("stored");
    expect(failed).toEqual({ message_too_large: 1 });
  }, 60_000);
});
