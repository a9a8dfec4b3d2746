import { describe, expect, test } from "bun:test";
import { type RebalanceListener, Rebalancer, type RebalancingClient } from "./consumer-rebalance.ts";
import { Turns } from "./consumer-turns.ts";

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
  const turns = new Turns();
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
  };
  const rebalancer = new Rebalancer(client, noted, turns, (error) => errors.push(error));
  return { rebalancer, calls, turns, state, errors };
}

/** Long enough for all that waits for nothing but its turn. */
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

  test("gives nothing up before the listener is done with it", async () => {
    const gate = Promise.withResolvers<void>();
    const { rebalancer, calls } = start({ onRevoked: () => gate.promise });
    rebalancer.onRebalance(REVOKE, p(0));
    await settle();
    expect(calls).toEqual(["onRevoked 0"]);
    gate.resolve();
    await settle();
    expect(calls).toEqual(["onRevoked 0", "incrementalUnassign 0"]);
  });

  test("gives it up all the same when the listener fails", async () => {
    const { rebalancer, calls, errors } = start({ onRevoked: () => Promise.reject(new Error("disk full")) });
    rebalancer.onRebalance(REVOKE, p(0));
    await settle();
    expect(calls).toEqual(["onRevoked 0", "incrementalUnassign 0"]);
    expect(errors.map(({ message }) => message)).toEqual(["disk full"]);
  });

  test("what is lost is told of and not waited for", async () => {
    const { rebalancer, calls, state } = start();
    state.isLost = true;
    rebalancer.onRebalance(REVOKE, p(0, 3));
    expect(calls).toEqual(["onLost 0,3"]);
    await settle();
    expect(calls).toEqual(["onLost 0,3", "incrementalUnassign 0,3"]);
  });

  test("changes an assignment only between two takes of records", async () => {
    const { rebalancer, calls, turns } = start();
    const take = Promise.withResolvers<void>();
    void turns.take(() => take.promise);
    rebalancer.onRebalance(ASSIGN, p(0));
    await settle();
    expect(calls).toEqual([]);
    take.resolve();
    await settle();
    expect(calls).toEqual(["incrementalAssign 0", "onAssigned 0"]);
  });

  test("gives everything up at once while it closes", async () => {
    const { rebalancer, calls } = start();
    rebalancer.close();
    rebalancer.onRebalance(REVOKE, p(0));
    rebalancer.onRebalance(ASSIGN, p(1));
    await settle();
    expect(calls).toEqual(["unassign", "unassign"]);
  });
});

describe("Turns", () => {
  test("come one after the other, failures or not", async () => {
    const turns = new Turns();
    const order: number[] = [];
    const first = turns.take(async () => {
      await settle();
      order.push(1);
      throw new Error("first");
    });
    const second = turns.take(async () => order.push(2));
    await expect(first).rejects.toThrow("first");
    await second;
    await turns.idle();
    expect(order).toEqual([1, 2]);
  });
});
