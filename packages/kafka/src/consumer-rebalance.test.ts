import { describe, expect, test } from "bun:test";
import { type RebalanceListener, Rebalancer, type RebalancingClient } from "./consumer-rebalance.ts";
import type { TopicPartitionOffset } from "./records.ts";
import { SerialQueue } from "./serial-queue.ts";

const ASSIGN = -175;
const REVOKE = -174;
const p = (...numbers: number[]) => numbers.map((partition) => ({ topic: "t", partition }));

function start(listener: RebalanceListener = {}, protocol = "COOPERATIVE") {
  const calls: string[] = [];
  const note = (name: string) => (list?: { partition: number }[]) =>
    void calls.push(list ? `${name} ${list.map(({ partition }) => partition)}` : name);
  const state = { isLost: false };
  const client: RebalancingClient = {
    assign: note("assign"),
    unassign: note("unassign"),
    incrementalAssign: note("incrementalAssign"),
    incrementalUnassign: note("incrementalUnassign"),
    assignmentLost: () => state.isLost,
    rebalanceProtocol: () => protocol,
  };
  const fetches = new SerialQueue();
  const errors: Error[] = [];
  const noted: RebalanceListener = {
    onAssigned: (list) => {
      note("onAssigned")([...list]);
      listener.onAssigned?.(list);
    },
    onRevoked: async (list) => {
      note("onRevoked")([...list]);
      await listener.onRevoked?.(list);
    },
    onLost: (list) => note("onLost")([...list]),
    ...(listener.toStartOffsets && { toStartOffsets: listener.toStartOffsets }),
  };
  const rebalancer = new Rebalancer(client, noted, fetches, (error) => errors.push(error));
  return { rebalancer, calls, fetches, state, errors };
}

/** Long enough for everything queued that doesn't wait for a test. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("Rebalancer", () => {
  test("assigns and unassigns in the group's protocol", async () => {
    for (const [protocol, assign, unassign] of [
      ["COOPERATIVE", "incrementalAssign 0,1", "incrementalUnassign 1"],
      ["EAGER", "assign 0,1", "unassign"],
    ] as const) {
      const { rebalancer, calls } = start({}, protocol);
      rebalancer.onRebalance(ASSIGN, p(0, 1));
      await settle();
      rebalancer.onRebalance(REVOKE, p(1));
      await settle();
      expect(calls).toEqual([assign, "onAssigned 0,1", "onRevoked 1", unassign]);
    }
  });

  test("assigns at the offsets that the listener chose, without fetching meanwhile", async () => {
    const starts = Promise.withResolvers<TopicPartitionOffset[]>();
    const assigned: object[] = [];
    const { rebalancer, calls, fetches } = start({
      toStartOffsets: () => starts.promise,
      onAssigned: (list) => void assigned.push(...list),
    });
    rebalancer.onRebalance(ASSIGN, p(0, 1));
    void fetches.run(async () => void calls.push("fetch"));
    await settle();
    expect(calls).toEqual([]);
    starts.resolve([{ topic: "t", partition: 1, offset: 7 }]);
    await settle();
    expect(calls).toEqual(["incrementalAssign 0,1", "onAssigned 0,1", "fetch"]);
    expect(assigned).toEqual([
      { topic: "t", partition: 0 },
      { topic: "t", partition: 1, offset: 7 },
    ]);
  });

  test("assigns without offsets when the listener can't choose", async () => {
    const { rebalancer, calls, errors } = start({
      toStartOffsets: () => Promise.reject(new Error("no coordinator")),
    });
    rebalancer.onRebalance(ASSIGN, p(0));
    await settle();
    expect(calls).toEqual(["incrementalAssign 0", "onAssigned 0"]);
    expect(errors.map(({ message }) => message)).toEqual(["no coordinator"]);
  });

  test("releases nothing before the listener has finished", async () => {
    const gate = Promise.withResolvers<void>();
    const { rebalancer, calls } = start({ onRevoked: () => gate.promise });
    rebalancer.onRebalance(REVOKE, p(0));
    await settle();
    expect(calls).toEqual(["onRevoked 0"]);
    gate.resolve();
    await settle();
    expect(calls).toEqual(["onRevoked 0", "incrementalUnassign 0"]);
  });

  test("releases the partitions even if the listener fails", async () => {
    const { rebalancer, calls, errors } = start({ onRevoked: () => Promise.reject(new Error("disk full")) });
    rebalancer.onRebalance(REVOKE, p(0));
    await settle();
    expect(calls).toEqual(["onRevoked 0", "incrementalUnassign 0"]);
    expect(errors.map(({ message }) => message)).toEqual(["disk full"]);
  });

  test("lost partitions are reported and not waited for", async () => {
    const { rebalancer, calls, state } = start();
    state.isLost = true;
    rebalancer.onRebalance(REVOKE, p(0, 3));
    expect(calls).toEqual(["onLost 0,3"]);
    await settle();
    expect(calls).toEqual(["onLost 0,3", "incrementalUnassign 0,3"]);
  });

  test("changes an assignment only between two fetches", async () => {
    const { rebalancer, calls, fetches } = start();
    const fetch = Promise.withResolvers<void>();
    void fetches.run(() => fetch.promise);
    rebalancer.onRebalance(ASSIGN, p(0));
    await settle();
    expect(calls).toEqual([]);
    fetch.resolve();
    await settle();
    expect(calls).toEqual(["incrementalAssign 0", "onAssigned 0"]);
  });

  test("releases everything at once while closing", async () => {
    const { rebalancer, calls } = start();
    rebalancer.close();
    rebalancer.onRebalance(REVOKE, p(0));
    rebalancer.onRebalance(ASSIGN, p(1));
    await settle();
    expect(calls).toEqual(["unassign", "unassign"]);
  });
});

describe("SerialQueue", () => {
  test("runs work one after the other, even after a failure", async () => {
    const queue = new SerialQueue();
    const order: number[] = [];
    const first = queue.run(async () => {
      await settle();
      order.push(1);
      throw new Error("first");
    });
    const second = queue.run(async () => order.push(2));
    await expect(first).rejects.toThrow("first");
    await second;
    await queue.idle();
    expect(order).toEqual([1, 2]);
  });
});
