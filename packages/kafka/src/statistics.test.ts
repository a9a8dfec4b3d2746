import { expect, test } from "bun:test";
import { toConsumerStatistics, toProducerStatistics } from "./statistics.ts";

const broker = (over: object) => ({
  name: "b:9092/1",
  nodeid: 1,
  state: "UP",
  source: "learned",
  waitresp_cnt: 2,
  rtt: { p50: 300, p99: 900 },
  req_timeouts: 1,
  txretries: 3,
  disconnects: 4,
  ...over,
});

const common = {
  time: 1_700_000_000,
  tx_bytes: 10,
  rx_bytes: 20,
  brokers: {
    a: broker({}),
    b: broker({ name: "b:9093/2", nodeid: 2, state: "CONNECT" }),
    c: broker({ name: "GroupCoordinator", nodeid: 1, source: "logical" }),
  },
};

test("a producer's statistics", () => {
  const json = JSON.stringify({
    ...common,
    msg_cnt: 5,
    msg_size: 600,
    msg_max: 100_000,
    msg_size_max: 1_000_000,
    txmsgs: 70,
    txmsg_bytes: 8_000,
    topics: {
      t: { batchcnt: { sum: 30, cnt: 2 }, batchsize: { sum: 3_000, cnt: 2 } },
      u: { batchcnt: { sum: 10, cnt: 2 }, batchsize: { sum: 1_000, cnt: 2 } },
    },
  });
  expect(toProducerStatistics(json)).toEqual({
    atMs: 1_700_000_000_000,
    brokersUp: 1,
    brokers: [
      {
        name: "b:9092/1",
        id: 1,
        isUp: true,
        requestsInFlight: 2,
        roundTripMicrosP50: 300,
        roundTripMicrosP99: 900,
        requestTimeouts: 1,
        retries: 3,
        disconnects: 4,
      },
      expect.objectContaining({ id: 2, isUp: false }),
    ],
    sentBytes: 10,
    receivedBytes: 20,
    queueMessages: 5,
    queueBytes: 600,
    queueMaxMessages: 100_000,
    queueMaxBytes: 1_000_000,
    sentMessages: 70,
    sentMessageBytes: 8_000,
    batchMessagesAverage: 10,
    batchBytesAverage: 1_000,
  });
});

test("a consumer's statistics: its partitions and their lag", () => {
  const partition = (id: number, over: object) => ({
    partition: id,
    fetch_state: "active",
    consumer_lag: 7,
    committed_offset: 3,
    ls_offset: 10,
    next_offset: 9,
    fetchq_cnt: 1,
    leader: 1,
    ...over,
  });
  const partitions = {
    "0": partition(0, {}),
    "1": partition(1, { leader: 3, consumer_lag: -1, committed_offset: -1001 }),
    "2": partition(2, { fetch_state: "none" }),
    "-1": partition(-1, {}),
  };
  const json = JSON.stringify({
    ...common,
    rxmsgs: 42,
    topics: { t: { topic: "t", partitions } },
    cgrp: { state: "up", join_state: "steady", rebalance_cnt: 2, assignment_size: 2 },
  });
  expect(toConsumerStatistics(json)).toMatchObject({
    brokersUp: 1,
    partitions: [
      {
        topic: "t",
        partition: 0,
        lag: 7,
        committedOffset: 3,
        endOffset: 10,
        nextOffset: 9,
        fetchedAhead: 1,
        isLeaderUp: true,
      },
      { topic: "t", partition: 1, lag: -1, committedOffset: -1001, isLeaderUp: false },
    ],
    lag: 7,
    receivedMessages: 42,
    groupState: "up",
    joinState: "steady",
    rebalances: 2,
    assignedPartitions: 2,
  });
});

test.each(["", "{", "null", "7", "[]", "{}", '{"brokers":null,"topics":7,"cgrp":[]}'])(
  "%j never throws",
  (json) => {
    expect(() => [toProducerStatistics(json), toConsumerStatistics(json)]).not.toThrow();
    if (json === "{}") expect(toProducerStatistics(json)?.brokers).toEqual([]);
  },
);
