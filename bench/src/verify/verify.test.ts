// The search itself, on topics made up here; test/integration/bench-verify.test.ts has it on a real Kafka.
import { describe, expect, test } from "bun:test";
import { Fate, Ledger } from "../load/ledger.ts";
import { type EventTopic, type Offsets, type TopicRecord, TopicUnreachableError } from "./event-topic.ts";
import { type VerifyPlan, verify } from "./verify.ts";

/** A topic whose partitions are arrays of ids. An id of null is a record without a value. */
class FakeTopic implements EventTopic {
  readonly partitions: (string | null)[][] = [[], []];
  /** Called with the how many-th look it is. */
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

function plan(topic: FakeTopic, fates: Fate[], more: Partial<VerifyPlan> = {}): VerifyPlan {
  const ledger = new Ledger();
  for (const [n, fate] of fates.entries()) ledger.setFate(n, fate);
  return {
    topic,
    topicName: "t",
    start: new Map(),
    runId: "run",
    ledger,
    accepted: fates.filter((fate) => fate === Fate.Accepted).length,
    idleMs: 10_000,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...more,
  };
}

const three = [Fate.Accepted, Fate.Accepted, Fate.Accepted];

describe("verify", () => {
  test("ends as soon as all is found, wherever it lies and whenever it comes", async () => {
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

  test("gives up when nothing new comes, and names what is missing", async () => {
    const topic = new FakeTopic();
    topic.partitions[0]!.push("run-0", "other-1", "run-2");
    const report = await verify(plan(topic, three, { idleMs: 50 }));
    expect(report).toMatchObject({ stored: 2, missing: 1, missingIds: ["run-1"], recordsRead: 3 });
  });

  test("each new find gives it more time", async () => {
    const topic = new FakeTopic();
    topic.onLook = (look) => {
      if (look % 2 === 1 && look < 12) topic.partitions[0]!.push(`run-${(look - 1) / 2}`);
    };
    // Six finds, two looks and so 200 ms apart: each well within the idle time, all together beyond it.
    const six = Array.from({ length: 6 }, () => Fate.Accepted);
    expect(await verify(plan(topic, six, { idleMs: 900 }))).toMatchObject({ stored: 6, missing: 0 });
  });

  test("names no more than twenty", async () => {
    const fates = Array.from({ length: 100 }, () => Fate.Accepted);
    const report = await verify(plan(new FakeTopic(), fates, { idleMs: 1 }));
    expect(report).toMatchObject({ stored: 0, missing: 100 });
    expect(report.missingIds).toHaveLength(20);
  });

  test("tells copies, and events that were not accepted, from the rest", async () => {
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
    const report = await verify(plan(topic, [Fate.Accepted, Fate.Refused, Fate.Unknown, Fate.Unknown]));
    expect(report).toMatchObject({
      accepted: 1,
      stored: 1,
      duplicated: 1,
      refusedStored: 1,
      unknownStored: 2,
    });
  });

  test("sees a copy that comes right after the last event", async () => {
    const topic = new FakeTopic();
    topic.onLook = () => topic.partitions[0]!.push("run-0");
    expect(await verify(plan(topic, [Fate.Accepted]))).toMatchObject({ stored: 1, duplicated: 1 });
  });

  test("begins where it is told to", async () => {
    const topic = new FakeTopic();
    topic.partitions[0]!.push("run-0", "run-0", "run-0");
    const report = await verify(plan(topic, [Fate.Accepted], { start: new Map([[0, 2]]) }));
    expect(report).toMatchObject({ stored: 1, duplicated: 0, recordsRead: 1 });
  });

  test("a read that breaks off is taken up where it ended, nothing counted twice", async () => {
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

  test("Kafka that stays away is an error, not missing events", async () => {
    const topic = new FakeTopic();
    topic.onLook = () => {
      throw new Error("no broker");
    };
    const failure = await verify(plan(topic, three, { idleMs: 50 })).catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(TopicUnreachableError);
    expect((failure as Error).message).toContain("no broker");
  });

  test("stopped by hand: what was found so far, and not complete", async () => {
    const stop = new AbortController();
    const topic = new FakeTopic();
    topic.partitions[0]!.push("run-0");
    topic.onLook = (look) => void (look === 2 && stop.abort());
    const report = await verify(plan(topic, three, { signal: stop.signal }));
    expect(report).toMatchObject({ stored: 1, missing: 2, complete: false });
  });
});
