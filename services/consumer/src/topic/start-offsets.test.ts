import { describe, expect, test } from "bun:test";
import type { CommittedOffset } from "@ingest/kafka";
import { parseCommitMetadata, toCommitMetadata } from "./commit-metadata.ts";
import { type StartContext, toStart } from "./start-offsets.ts";

const first = { topicId: "L0uP2tmbRG6SwHUZqIWemA", partitions: 2 };
const second = { topicId: "AAAAAAAAAAAAAAAAAAAAAB", partitions: 2 };

/** What the group has committed: an offset and a metadata text for each partition, from 0. */
function commits(...list: [offset: number, metadata?: string][]): CommittedOffset[] {
  return list.map(([offset, metadata], partition) => ({
    topic: "events",
    partition,
    offset,
    ...(metadata === undefined ? {} : { metadata }),
  }));
}

const context = (committed: CommittedOffset[], more: Partial<StartContext> = {}): StartContext => ({
  topic: first,
  committed,
  isRecreated: false,
  reset: "latest",
  ...more,
});

test("commit metadata survives the round trip, and other programs' is none", () => {
  expect(parseCommitMetadata(toCommitMetadata(first))).toEqual(first);
  for (const foreign of [
    undefined,
    "",
    "host-1",
    "topic-id=short partitions=1",
    `${toCommitMetadata(first)} `,
  ])
    expect(parseCommitMetadata(foreign)).toBeUndefined();
});

describe("a partition is read from", () => {
  test("the committed offset when the commit is for this topic", () => {
    expect(toStart(0, context(commits([5, toCommitMetadata(first)], [-1])))).toBe("committed");
  });

  // Fault: after 5 of 10 events of a recreated topic had been passed over, a restart went on at offset 10.
  test("its beginning when the commit is for an earlier topic of this name", () => {
    expect(toStart(0, context(commits([5, toCommitMetadata(second)], [-1])))).toBe("beginning");
    expect(toStart(1, context(commits([5, toCommitMetadata(second)], [-1])))).toBe("beginning");
  });

  test("the committed offset when the commit doesn't say which topic it is for", () => {
    expect(toStart(0, context(commits([5], [-1])))).toBe("committed");
    expect(toStart(0, context(commits([5, "set by hand"], [-1])))).toBe("committed");
  });

  test("its beginning when the topic was recreated and its commits are gone", () => {
    expect(toStart(0, context(commits([-1], [-1]), { isRecreated: true }))).toBe("beginning");
  });

  test("where a new group begins", () => {
    expect(toStart(0, context(commits([-1], [-1])))).toBe("end");
    expect(toStart(0, context(commits([-1], [-1]), { reset: "earliest" }))).toBe("committed");
  });

  // Fault: with latest, what was written to an added partition before it was noticed was skipped.
  test("its beginning when it was added after the group's commits", () => {
    const topic = { ...first, partitions: 4 };
    const committed = commits([5, toCommitMetadata(first)], [-1], [-1], [-1]);
    expect([0, 1, 2, 3].map((partition) => toStart(partition, context(committed, { topic })))).toEqual([
      "committed",
      "end",
      "beginning",
      "beginning",
    ]);
  });
});
