// The requests of this package: a cluster's metadata, and the administration that Confluent's client lacks.
import { BrokerError } from "./errors.ts";
import { RequestWriter, type ResponseReader, sendRequest } from "./wire.ts";

const METADATA = 3;
const ELECT_LEADERS = 43;
const INCREMENTAL_ALTER_CONFIGS = 44;
const ALTER_PARTITION_REASSIGNMENTS = 45;

const PREFERRED = 0;
const TOPIC_RESOURCE = 2;
const SET = 0;
const DELETE = 1;

/** How long Kafka may take for an administrative request, ms. */
const REQUEST_TIMEOUT_MS = 10_000;

export interface Metadata {
  /** The ids of brokers that are registered and not fenced. */
  brokers: number[];
  /** The partitions of the topic that was asked for, by id. */
  partitions: PartitionMetadata[];
}

export interface PartitionMetadata {
  id: number;
  /** A broker's id; -1 while there is no leader. */
  leader: number;
  /** Brokers' ids; the first is the preferred leader. */
  replicas: number[];
  inSyncReplicas: number[];
}

/** What the broker on this port reports; undefined when it does not respond in time. */
export async function requestMetadata(
  port: number,
  topic: string | undefined,
  timeoutMs: number,
): Promise<Metadata | undefined> {
  const body = new RequestWriter().int32(topic === undefined ? 0 : 1);
  if (topic !== undefined) body.string(topic);
  body.int8(0); // allow_auto_topic_creation
  const response = await sendRequest(
    port,
    { apiKey: METADATA, version: 4, isFlexible: false, body },
    timeoutMs,
  );
  if (response === undefined) return undefined;
  response.int32(); // throttle time
  const brokers = response.array((broker) => {
    const id = broker.int32();
    broker.string(); // host
    broker.int32(); // port
    broker.string(); // rack
    return id;
  });
  response.string(); // cluster id
  response.int32(); // controller
  const partitions = response.array(readTopic).flat();
  return { brokers, partitions: partitions.sort((a, b) => a.id - b.id) };
}

/**
 * Does a broker on this port respond, and does its metadata contain a broker? A listening socket is not enough: Kafka opens
 * it before it has joined its own cluster.
 */
export async function brokerResponds(port: number, timeoutMs = 2_000): Promise<boolean> {
  const metadata = await requestMetadata(port, undefined, timeoutMs);
  return metadata !== undefined && metadata.brokers.length > 0;
}

function readTopic(topic: ResponseReader): PartitionMetadata[] {
  topic.int16(); // error code: a topic with an error has no partitions
  topic.string();
  topic.int8(); // is_internal
  return topic.array((partition) => {
    partition.int16(); // error code: the leader is -1 then
    return {
      id: partition.int32(),
      leader: partition.int32(),
      replicas: partition.array((replica) => replica.int32()),
      inSyncReplicas: partition.array((replica) => replica.int32()),
    };
  });
}

/**
 * Changes the replicas of partitions. The same brokers in another order change the preferred leader and move no data.
 * @throws BrokerError `request_failed`
 */
export async function reassignPartitions(
  port: number,
  topic: string,
  partitions: readonly { id: number; replicas: readonly number[] }[],
): Promise<void> {
  const body = new RequestWriter()
    .int32(REQUEST_TIMEOUT_MS)
    .compactArray([topic], (name, writer) => {
      writer.compactString(name);
      writer.compactArray(partitions, ({ id, replicas }) =>
        writer
          .int32(id)
          .compactArray(replicas, (replica) => writer.int32(replica))
          .noTags(),
      );
      writer.noTags();
    })
    .noTags();
  const response = await request(port, ALTER_PARTITION_REASSIGNMENTS, 0, body);
  response.int32(); // throttle time
  assertDone(response.int16(), response.compactString());
  response.compactArray((each) => {
    each.compactString(); // topic
    each.compactArray((partition) => {
      partition.int32();
      assertDone(partition.int16(), partition.compactString());
      partition.skipTags();
    });
    each.skipTags();
  });
}

/**
 * Asks for the election of preferred leaders. A preferred leader that is not in sync yet is not elected: compare with the
 * metadata.
 */
export async function electPreferredLeaders(
  port: number,
  topic: string,
  ids: readonly number[],
): Promise<void> {
  const body = new RequestWriter()
    .int8(PREFERRED)
    .compactArray([topic], (name, writer) => {
      writer.compactString(name);
      writer.compactArray(ids, (id) => writer.int32(id)).noTags();
    })
    .int32(REQUEST_TIMEOUT_MS)
    .noTags();
  await request(port, ELECT_LEADERS, 2, body);
}

/**
 * Sets a topic's settings; `null` restores the default.
 * @throws BrokerError `request_failed`
 */
export async function alterTopicConfig(
  port: number,
  topic: string,
  config: Readonly<Record<string, string | null>>,
): Promise<void> {
  const body = new RequestWriter()
    .compactArray([topic], (name, writer) => {
      writer.int8(TOPIC_RESOURCE).compactString(name);
      writer.compactArray(Object.entries(config), ([key, value]) => {
        writer.compactString(key).int8(value === null ? DELETE : SET);
        writer.compactString(value ?? "").noTags();
      });
      writer.noTags();
    })
    .int8(0) // validate_only
    .noTags();
  const response = await request(port, INCREMENTAL_ALTER_CONFIGS, 1, body);
  response.int32(); // throttle time
  response.compactArray((resource) => {
    assertDone(resource.int16(), resource.compactString());
    resource.int8();
    resource.compactString();
    resource.skipTags();
  });
}

async function request(port: number, apiKey: number, version: number, body: RequestWriter) {
  const timeoutMs = REQUEST_TIMEOUT_MS + 1_000;
  const response = await sendRequest(port, { apiKey, version, isFlexible: true, body }, timeoutMs);
  if (response === undefined)
    throw new BrokerError("request_failed", `the broker on port ${port} did not respond`);
  return response;
}

function assertDone(code: number, message: string | null): void {
  if (code !== 0)
    throw new BrokerError(
      "request_failed",
      `Kafka refused the request: error ${code}, ${message ?? "no message"}`,
    );
}
