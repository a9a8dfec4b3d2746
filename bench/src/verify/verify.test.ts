// The search itself, on topics made up here; test/integration/bench-verify.test.ts has it on a real Kafka.
import { describe, expect, test } from "bun:test";
import { EventOutcome, Ledger } from "../load/ledger.ts";
import { type EventTopic, type Offsets, type TopicRecord, TopicUnreachableError } from "./event-topic.ts";
import { type VerifyPlan, verify } from "./verify.ts";

/** A topic whose partitions are arrays of ids. An id of null is a record without a value. */
class FakeTopic implements EventTopic {
  readonly partitions: (string | null)[][] = [[], []];
  /** Called at each look with its number. */
  onLook: (look: number) => void = () => {};
  looks = 0;

  async ends(): Promise<Offsets> {
    this.onLook(++this.looks);
    return new Map(this.partitions.map((records, partition) => [partition, records.length]));
  }

  async *read(from: Offsets, to: Offsets): AsyncGenerator<TopicRecord[]> {
    for (const [partition, end] of to) {
      for (let offset = from.get(partition) ?? 0; offset < end; offset++) {
        const id = this.partitions[partition]![offset]!;
        const value = id === null ? null : Buffer.from(JSON.stringify({ event_id: id }));
        yield [{ partition, offset, value }];
      }
    }
  }

  async close(): Promise<void> {}
}

function plan(topic: FakeTopic, outcomes: EventOutcome[], more: Partial<VerifyPlan> = {}): VerifyPlan {
  const ledger = new Ledger();
  for (const [n, outcome] of outcomes.entries()) ledger.setOutcome(n, outcome);
  return {
    topic,
    topicName: "t",
    start: new Map(),
    runId: "run",
    ledger,
    accepted: outcomes.filter((outcome) => outcome === EventOutcome.Accepted).length,
    idleMs: 10_000,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...more,
  };
}

const three = [EventOutcome.Accepted, EventOutcome.Accepted, EventOutcome.Accepted];

describe("verify", () => {
  test("ends as soon as every event is found, in any partition and at any time", async () => {
    const topic = new FakeTopic();
    topic.partitions[1]!.push("run-2");
    topic.onLook = (look) => {
      if (look === 2) topic.partitions[0]!.push("run-0");
      if (look === 3) topic.partitions[1]!.push("run-1");
    };
    const found: number[] = [];
    const report = await verify(plan(topic, three, { onProgress: (stored) => found.push(stored) }));
    expect(report).toMatchObject({
      accepted: 3,
      stored: 3,
      missing: 0,
      duplicated: 0,
      recordsRead: 3,
      complete: true,
    });
    expect(found).toEqual([1, 2, 3]);
  });

  test("gives up when nothing new arrives, and names the missing events", async () => {
    const topic = new FakeTopic();
    topic.partitions[0]!.push("run-0", "other-1", "run-2");
    const report = await verify(plan(topic, three, { idleMs: 50 }));
    expect(report).toMatchObject({ stored: 2, missing: 1, missingIds: ["run-1"], recordsRead: 3 });
  });

  test("each event found extends the time", async () => {
    const topic = new FakeTopic();
    topic.onLook = (look) => {
      if (look % 2 === 1 && look < 12) topic.partitions[0]!.push(`run-${(look - 1) / 2}`);
    };
    // Six finds, two looks and so 200 ms apart: each well within the idle time, all together beyond it.
    const six = Array.from({ length: 6 }, () => EventOutcome.Accepted);
    expect(await verify(plan(topic, six, { idleMs: 900 }))).toMatchObject({ stored: 6, missing: 0 });
  });

  test("names no more than twenty", async () => {
    const outcomes = Array.from({ length: 100 }, () => EventOutcome.Accepted);
    const report = await verify(plan(new FakeTopic(), outcomes, { idleMs: 1 }));
    expect(report).toMatchObject({ stored: 0, missing: 100 });
    expect(report.missingIds).toHaveLength(20);
  });

  test("counts duplicates, and events that were not accepted, separately", async () => {
    const topic = new FakeTopic();
    topic.partitions[0]!.push(
      "run-0",
      "run-0",
      "run-0",
      "run-1",
      "run-2",
      "run-3",
      "run-99",
      "run-x",
      null,
      "not json",
    );
    const report = await verify(
      plan(topic, [EventOutcome.Accepted, EventOutcome.Refused, EventOutcome.Unknown, EventOutcome.Unknown]),
    );
    expect(report).toMatchObject({
      accepted: 1,
      stored: 1,
      duplicated: 1,
      refusedStored: 1,
      unknownStored: 2,
    });
  });

  test("finds a duplicate right after the last event", async () => {
    const topic = new FakeTopic();
    topic.onLook = () => topic.partitions[0]!.push("run-0");
    expect(await verify(plan(topic, [EventOutcome.Accepted]))).toMatchObject({ stored: 1, duplicated: 1 });
  });

  test("begins at the given offsets", async () => {
    const topic = new FakeTopic();
    topic.partitions[0]!.push("run-0", "run-0", "run-0");
    const report = await verify(plan(topic, [EventOutcome.Accepted], { start: new Map([[0, 2]]) }));
    expect(report).toMatchObject({ stored: 1, duplicated: 0, recordsRead: 1 });
  });

  test("a read that fails is resumed where it ended, and nothing counts twice", async () => {
    const topic = new FakeTopic();
    topic.partitions[0]!.push("run-0", "run-1", "run-2");
    const read = topic.read.bind(topic);
    topic.read = async function* (from, to) {
      let left = 1;
      for await (const records of read(from, to)) {
        if (left-- === 0) throw new Error("broker went away");
        yield records;
      }
    };
    expect(await verify(plan(topic, three))).toMatchObject({ stored: 3, duplicated: 0, recordsRead: 3 });
  });

  test("unavailable Kafka is an error, not missing events", async () => {
    const topic = new FakeTopic();
    topic.onLook = () => {
      throw new Error("no broker");
    };
    const failure = await verify(plan(topic, three, { idleMs: 50 })).catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(TopicUnreachableError);
    expect((failure as Error).message).toContain("no broker");
  });

  test("interrupted: reports what was found so far, as incomplete", async () => {
    const stop = new AbortController();
    const topic = new FakeTopic();
    topic.partitions[0]!.push("run-0");
    topic.onLook = (look) => void (look === 2 && stop.abort());
    const report = await verify(plan(topic, three, { signal: stop.signal }));
    expect(report).toMatchObject({ stored: 1, missing: 2, complete: false });
  });
});
