import { expect, test } from "bun:test";
import type { TopicPartition } from "@ingest/kafka";
import { createLog } from "@ingest/service";
import { AssignmentWatch, MAX_UNASSIGNED_MS } from "./assignment-watch.ts";

function start() {
  const now = { ms: 0 };
  const group = { hasJoined: true, own: 0, all: [] as TopicPartition[], isForbidden: false, joins: 0 };
  const coordinator = { isUp: true, descriptions: 0 };
  const watch = new AssignmentWatch({
    topic: "events",
    topicWatch: { state: "present", current: { topicId: "id", partitions: 2 } },
    consumer: () => ({
      async committed() {
        if (!coordinator.isUp) throw new Error("timed out");
        return [];
      },
      async groupAssignment() {
        coordinator.descriptions++;
        if (group.isForbidden) throw new Error("not allowed");
        return group.all;
      },
      rejoin() {
        group.joins++;
      },
    }),
    hasJoined: () => group.hasJoined,
    assigned: () => group.own,
    log: createLog("test", { LOG_LEVEL: "silent", LOG_FORMAT: "json" }),
    now: () => now.ms,
  });
  const lookAt = async (ms: number) => {
    now.ms = ms;
    await watch.look();
    return watch.state;
  };
  return { group, coordinator, watch, lookAt };
}
const owned = (...partitions: number[]) => partitions.map((partition) => ({ topic: "events", partition }));

// Fault: after a lost session a member had no partitions for 800 s, and was ready all the time.
test("a member without partitions joins again when some belong to nobody, and is not ready until it has some", async () => {
  const { group, lookAt } = start();
  group.all = owned(0);
  expect(await lookAt(0)).toBe("pending");
  expect(await lookAt(MAX_UNASSIGNED_MS - 1)).toBe("pending");
  expect(group.joins).toBe(0);
  expect(await lookAt(MAX_UNASSIGNED_MS)).toBe("unassigned");
  expect(group.joins).toBe(1);
  expect(await lookAt(MAX_UNASSIGNED_MS + 1)).toBe("unassigned");
  expect(group.joins).toBe(1);
  expect(await lookAt(2 * MAX_UNASSIGNED_MS)).toBe("unassigned");
  expect(group.joins).toBe(2);
  group.own = 1;
  expect(await lookAt(2 * MAX_UNASSIGNED_MS + 1)).toBe("assigned");
  group.own = 0;
  expect(await lookAt(2 * MAX_UNASSIGNED_MS + 2)).toBe("pending");
});

test("a member in excess of the partitions is idle", async () => {
  const { group, lookAt } = start();
  group.all = owned(0, 1);
  await lookAt(0);
  expect(await lookAt(MAX_UNASSIGNED_MS)).toBe("idle");
  expect(group.joins).toBe(0);
});

test("a member that may not describe its group is taken for idle", async () => {
  const { group, lookAt } = start();
  group.isForbidden = true;
  await lookAt(0);
  expect(await lookAt(MAX_UNASSIGNED_MS)).toBe("idle");
  expect(group.joins).toBe(0);
});

test("a member that has not joined is pending", async () => {
  const { group, lookAt } = start();
  group.hasJoined = false;
  await lookAt(0);
  expect(await lookAt(600_000)).toBe("pending");
});

// Fault: librdkafka aborted the process, in an admin request to a coordinator whose connection was down.
test("a group whose coordinator doesn't respond is not described", async () => {
  const { group, coordinator, lookAt } = start();
  group.all = owned(0);
  coordinator.isUp = false;
  await lookAt(0);
  expect(await lookAt(MAX_UNASSIGNED_MS)).toBe("idle");
  expect(coordinator.descriptions).toBe(0);
  coordinator.isUp = true;
  expect(await lookAt(2 * MAX_UNASSIGNED_MS)).toBe("unassigned");
  expect(coordinator.descriptions).toBe(1);
});
