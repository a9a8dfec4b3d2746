// librdkafka's statistics (its STATISTICS.md) → the figures that are watched here, typed.
// The text is made by librdkafka once an interval; reading it never throws.

/** One broker, as this client sees it. */
export interface BrokerStatistics {
  /** host:port/id */
  name: string;
  /** -1 for a bootstrap address whose id isn't known yet. */
  id: number;
  isUp: boolean;
  /** Requests sent and not answered. */
  requestsInFlight: number;
  /** Of the last interval, µs; 0 when nothing was sent. */
  roundTripMicrosP50: number;
  roundTripMicrosP99: number;
  /** Totals since the client was made. */
  requestTimeouts: number;
  retries: number;
  disconnects: number;
}

interface ClientStatistics {
  /** When librdkafka took them, Unix ms. */
  atMs: number;
  brokers: BrokerStatistics[];
  brokersUp: number;
  /** Totals since the client was made: whole requests and answers, as they were on the wire. */
  sentBytes: number;
  receivedBytes: number;
}

export interface ProducerStatistics extends ClientStatistics {
  /** What waits in the client or is in flight: librdkafka's own count, keys and headers included. */
  queueMessages: number;
  queueBytes: number;
  queueMaxMessages: number;
  queueMaxBytes: number;
  /** Totals since the client was made: records that were sent, and their bytes before compression. */
  sentMessages: number;
  sentMessageBytes: number;
  /** Of the last interval, over the topics written to. */
  batchMessagesAverage: number;
  batchBytesAverage: number;
}

/** One partition that is read. */
export interface PartitionStatistics {
  topic: string;
  partition: number;
  /** Records behind the partition's end, by what is committed; -1 while it isn't known. */
  lag: number;
  /** Next offset to be committed by the broker's knowledge; negative while there is none. */
  committedOffset: number;
  /** Offset after the last record that may be read. */
  endOffset: number;
  /** Where librdkafka will fetch on: past transaction markers and compacted records too, which no record is of. */
  nextOffset: number;
  /** Records fetched ahead. */
  fetchedAhead: number;
  /** Whether there is a connection to the broker that it is read from. */
  isLeaderUp: boolean;
}

export interface ConsumerStatistics extends ClientStatistics {
  partitions: PartitionStatistics[];
  /** Sum over the partitions whose lag is known. */
  lag: number;
  receivedMessages: number;
  /** "up" once the group's coordinator is known. */
  groupState: string;
  /** "steady" when no rebalance is under way. */
  joinState: string;
  rebalances: number;
  assignedPartitions: number;
}

type Json = Record<string, unknown>;

/** @returns undefined when the text isn't what librdkafka writes */
export function toProducerStatistics(json: string): ProducerStatistics | undefined {
  const root = parse(json);
  if (root === undefined) return undefined;
  const topics = Object.values(object(root.topics)).map(object);
  return {
    ...clientStatistics(root),
    queueMessages: number(root.msg_cnt),
    queueBytes: number(root.msg_size),
    queueMaxMessages: number(root.msg_max),
    queueMaxBytes: number(root.msg_size_max),
    sentMessages: number(root.txmsgs),
    sentMessageBytes: number(root.txmsg_bytes),
    batchMessagesAverage: average(topics.map((topic) => object(topic.batchcnt))),
    batchBytesAverage: average(topics.map((topic) => object(topic.batchsize))),
  };
}

/** @returns undefined when the text isn't what librdkafka writes */
export function toConsumerStatistics(json: string): ConsumerStatistics | undefined {
  const root = parse(json);
  if (root === undefined) return undefined;
  const client = clientStatistics(root);
  const up = new Set(client.brokers.filter(({ isUp }) => isUp).map(({ id }) => id));
  const partitions = Object.values(object(root.topics)).flatMap((topic) => readPartitions(object(topic), up));
  const group = object(root.cgrp);
  return {
    ...client,
    partitions,
    lag: partitions.reduce((sum, { lag }) => sum + Math.max(lag, 0), 0),
    receivedMessages: number(root.rxmsgs),
    groupState: text(group.state),
    joinState: text(group.join_state),
    rebalances: number(group.rebalance_cnt),
    assignedPartitions: number(group.assignment_size),
  };
}

function clientStatistics(root: Json): ClientStatistics {
  const brokers = Object.values(object(root.brokers))
    .map(object)
    // The group's coordinator has a connection and an entry of its own; it is one of the others.
    .filter((broker) => broker.source !== "logical" && broker.source !== "internal")
    .map(readBroker);
  return {
    atMs: number(root.time) * 1000,
    brokers,
    brokersUp: brokers.filter((broker) => broker.isUp).length,
    sentBytes: number(root.tx_bytes),
    receivedBytes: number(root.rx_bytes),
  };
}

function readBroker(broker: Json): BrokerStatistics {
  const roundTrip = object(broker.rtt);
  return {
    name: text(broker.name),
    id: number(broker.nodeid),
    isUp: broker.state === "UP" || broker.state === "UPDATE",
    requestsInFlight: number(broker.waitresp_cnt),
    roundTripMicrosP50: number(roundTrip.p50),
    roundTripMicrosP99: number(roundTrip.p99),
    requestTimeouts: number(broker.req_timeouts),
    retries: number(broker.txretries),
    disconnects: number(broker.disconnects),
  };
}

function readPartitions(topic: Json, brokersUp: ReadonlySet<number>): PartitionStatistics[] {
  return (
    Object.values(object(topic.partitions))
      .map(object)
      // -1 is where librdkafka keeps what isn't any partition's yet; "none" and "stopped" are not read here.
      .filter((p) => number(p.partition) >= 0 && p.fetch_state !== "none" && p.fetch_state !== "stopped")
      .map((p) => ({
        topic: text(topic.topic),
        partition: number(p.partition),
        lag: number(p.consumer_lag),
        committedOffset: number(p.committed_offset),
        endOffset: number(p.ls_offset),
        nextOffset: number(p.next_offset),
        fetchedAhead: number(p.fetchq_cnt),
        isLeaderUp: brokersUp.has(number(p.leader)),
      }))
  );
}

/** Mean over windows, each weighted by how many values it saw. */
function average(windows: Json[]): number {
  let sum = 0;
  let count = 0;
  for (const window of windows) {
    sum += number(window.sum);
    count += number(window.cnt);
  }
  return count === 0 ? 0 : sum / count;
}

function parse(json: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}

function object(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
