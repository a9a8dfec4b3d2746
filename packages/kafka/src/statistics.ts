// librdkafka's statistics (its STATISTICS.md) → typed values. Reading them never throws.

/** One broker's connection. */
export interface BrokerStatistics {
  /** host:port/id */
  name: string;
  /** -1 for a bootstrap address whose id isn't known yet. */
  id: number;
  isUp: boolean;
  /** Requests without a response yet. */
  requestsInFlight: number;
  /** In the last interval, µs; 0 when nothing was sent. */
  roundTripMicrosP50: number;
  roundTripMicrosP99: number;
  /** Totals since the client was created. */
  requestTimeouts: number;
  retries: number;
  disconnects: number;
}

interface ClientStatistics {
  /** When librdkafka took them, Unix ms. */
  atMs: number;
  brokers: BrokerStatistics[];
  brokersUp: number;
  /** Totals since the client was created: whole requests and responses, as on the wire. */
  sentBytes: number;
  receivedBytes: number;
}

export interface ProducerStatistics extends ClientStatistics {
  /** Queued or in flight by librdkafka's own count, keys and headers included. */
  queueMessages: number;
  queueBytes: number;
  queueMaxMessages: number;
  queueMaxBytes: number;
  /** Totals since the client was created: records that were sent, and their bytes before compression. */
  sentMessages: number;
  sentMessageBytes: number;
  /** In the last interval, over all topics. */
  batchMessagesAverage: number;
  batchBytesAverage: number;
}

/** One consumed partition. */
export interface PartitionStatistics {
  topic: string;
  partition: number;
  /** Records between the committed offset and the partition's end; -1 while it isn't known. */
  lag: number;
  /** The offset that the broker has committed; negative while there is none. */
  committedOffset: number;
  /** Offset after the last record that may be read. */
  endOffset: number;
  /** Where librdkafka fetches next. It also passes transaction markers and compacted offsets, for which no record arrives. */
  nextOffset: number;
  /** Records fetched ahead. */
  fetchedAhead: number;
  /** Whether the client is connected to the partition's leader. */
  isLeaderUp: boolean;
}

export interface ConsumerStatistics extends ClientStatistics {
  partitions: PartitionStatistics[];
  /** Sum over the partitions whose lag is known. */
  lag: number;
  receivedMessages: number;
  /** "up" once the group's coordinator is known. */
  groupState: string;
  /** "steady" when no rebalance is in progress. */
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
    // The group's coordinator has a second connection and entry.
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
      // -1 is librdkafka's internal partition; partitions in state "none" or "stopped" are not consumed here.
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

/** Mean over windows, each weighted by its number of values. */
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
