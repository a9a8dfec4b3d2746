// A cluster of several brokers, with a controller of its own: a broker that is killed takes no part of the controllers'
// quorum with it, and the loss of the controller is a fault by itself.
import { connect } from "node:net";
import { join } from "node:path";
import { type Broker, BrokerNode, preparedRuntime } from "./broker.ts";
import { BrokerError } from "./errors.ts";
import { KafkaNode, type NodeProcess, randomClusterId, temporaryDataDir } from "./kafka-node.ts";
import { assertPortFree, freePort, loopback } from "./probe.ts";
import { brokerProperties, type ClusterLayout, controllerProperties } from "./properties.ts";
import {
  alterTopicConfig,
  electPreferredLeaders,
  type PartitionMetadata,
  reassignPartitions,
  requestMetadata,
} from "./requests.ts";

/** Brokers have the ids from 1, so the controller's is far from them. */
const CONTROLLER_ID = 1_000;
const BROKER_HEAP_MIB = 256;
const CONTROLLER_HEAP_MIB = 128;
/** Time for all brokers to know each other once each has started, ms. */
const JOIN_DEADLINE_MS = 30_000;
const TOPIC_DEADLINE_MS = 10_000;
const LEADER_DEADLINE_MS = 20_000;
const METADATA_TIMEOUT_MS = 2_000;
const POLL_MS = 50;

export interface ClusterOptions {
  /** How many brokers. */
  brokers: number;
  /** A port on 127.0.0.1 for each broker. By default free ports, which restarts keep. */
  ports?: readonly number[];
  /** Folder for the records, which stays, with a folder for each node. By default temporary, removed with the cluster. */
  dataDir?: string;
  /** Default partitions of new topics; 6 by default. */
  partitions?: number;
  /** `min.insync.replicas` of new topics. By default 2, or 1 for a single broker. */
  minInsyncReplicas?: number;
  /** Kafka's own properties for the broker with this index; they override the defaults. */
  propertiesOf?: (index: number) => Readonly<Record<string, string>>;
  /** How the user chooses the ports, for the error message when one is busy. */
  portSetting?: string;
  /** Called at slow steps, such as the first download. */
  onProgress?: (message: string) => void;
}

/** Kafka brokers, each a process of its own, and their controller. Brokers have the ids 1, 2, …: the index plus one. */
export interface Cluster extends AsyncDisposable {
  /** All brokers. */
  readonly bootstrapServers: string;
  readonly brokers: readonly Broker[];
  readonly controller: NodeProcess;
  /** Stops all nodes cleanly; the data stays. */
  stop(): Promise<void>;
  /** A topic's partitions, as the first broker that knows it reports them. */
  describeTopic(topic: string): Promise<PartitionMetadata[]>;
  /**
   * Makes brokers the leaders of partitions, and resolves once they are. No data is moved: each must have a replica.
   * @param leaderOf the index of the broker for a partition
   */
  moveLeaders(topic: string, leaderOf: (partition: number) => number): Promise<void>;
  /** Sets a topic's settings, by Kafka's names; `null` restores a default. */
  setTopicConfig(topic: string, config: Readonly<Record<string, string | null>>): Promise<void>;
}

/**
 * Starts a cluster and resolves once all brokers serve requests and know each other.
 * @throws BrokerError when Java or Maven is missing, a port is busy, or Kafka does not start
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const runtime = await preparedRuntime(options.onProgress);
  const ports = options.ports ?? (await freePorts(options.brokers));
  for (const port of ports) await assertPortFree(port, options.portSetting ?? "the option `ports`");
  const layout: ClusterLayout = {
    brokers: options.brokers,
    partitions: options.partitions ?? 6,
    minInsyncReplicas: options.minInsyncReplicas ?? Math.min(2, options.brokers),
    controllerId: CONTROLLER_ID,
    controllerPort: await freePort(),
  };
  const { dataDir } = options;
  const dataDirOf = (node: string) =>
    dataDir === undefined ? temporaryDataDir() : Promise.resolve(join(dataDir, node));
  const controllerDir = await dataDirOf("controller");
  const shared = {
    runtime,
    // A broker that is added to existing data joins its cluster.
    clusterId: (await formattedClusterId(controllerDir)) ?? randomClusterId(),
    isTemporary: dataDir === undefined,
  };
  const controller = new KafkaNode({
    ...shared,
    port: layout.controllerPort,
    properties: controllerProperties(layout),
    dataDir: controllerDir,
    heapMiB: CONTROLLER_HEAP_MIB,
    isReady: () => isListening(layout.controllerPort),
  });
  const brokers: BrokerNode[] = [];
  for (const [index, port] of ports.entries()) {
    const id = index + 1;
    brokers.push(
      new BrokerNode({
        ...shared,
        port,
        properties: { ...brokerProperties(layout, id, port), ...options.propertiesOf?.(index) },
        dataDir: await dataDirOf(`broker-${id}`),
        heapMiB: BROKER_HEAP_MIB,
        isReady: async () =>
          (await requestMetadata(port, undefined, METADATA_TIMEOUT_MS))?.brokers.includes(id) ?? false,
      }),
    );
  }
  const cluster = new KafkaCluster(brokers, controller);
  const starts = [controller, ...brokers].map((node) => node.start());
  try {
    await Promise.all(starts);
    await cluster.untilComplete();
    return cluster;
  } catch (thrown) {
    // Without one node the others may wait for their deadline: they are ended, and have ended when this rejects.
    await cluster[Symbol.asyncDispose]();
    await Promise.allSettled(starts);
    throw thrown;
  }
}

class KafkaCluster implements Cluster {
  constructor(
    readonly brokers: readonly BrokerNode[],
    readonly controller: KafkaNode,
  ) {}

  get bootstrapServers(): string {
    return this.brokers.map(({ bootstrapServers }) => bootstrapServers).join(",");
  }

  async stop(): Promise<void> {
    // A broker that stops cleanly hands its partitions over through the controller.
    await Promise.all(this.brokers.map((broker) => broker.stop()));
    await this.controller.stop();
  }

  async describeTopic(topic: string): Promise<PartitionMetadata[]> {
    let partitions: PartitionMetadata[] = [];
    // A topic that was just created is not known to every broker at once.
    await untilTrue(TOPIC_DEADLINE_MS, `a broker to know the topic ${topic}`, async () => {
      for (const { port } of this.brokers) {
        partitions = (await requestMetadata(port, topic, METADATA_TIMEOUT_MS))?.partitions ?? [];
        if (partitions.length > 0) return true;
      }
      return false;
    });
    return partitions;
  }

  async moveLeaders(topic: string, leaderOf: (partition: number) => number): Promise<void> {
    const idOf = (partition: number) => leaderOf(partition) + 1;
    const described = await this.describeTopic(topic);
    const reordered = described
      .filter(({ id, replicas }) => replicas[0] !== idOf(id))
      .map(({ id, replicas }) => ({
        id,
        replicas: [idOf(id), ...replicas.filter((replica) => replica !== idOf(id))],
      }));
    if (reordered.length > 0) await this.#onAnyBroker((port) => reassignPartitions(port, topic, reordered));
    await untilTrue(LEADER_DEADLINE_MS, `brokers to lead the partitions of ${topic}`, async () => {
      const waiting = (await this.describeTopic(topic)).filter(({ id, leader }) => leader !== idOf(id));
      if (waiting.length === 0) return true;
      const ids = waiting.map(({ id }) => id);
      await this.#onAnyBroker((port) => electPreferredLeaders(port, topic, ids));
      return false;
    });
  }

  async setTopicConfig(topic: string, config: Readonly<Record<string, string | null>>): Promise<void> {
    await this.#onAnyBroker((port) => alterTopicConfig(port, topic, config));
  }

  /** Resolves once every broker knows all the others. */
  async untilComplete(): Promise<void> {
    await untilTrue(JOIN_DEADLINE_MS, "all brokers to join the cluster", async () => {
      const known = await Promise.all(
        this.brokers.map(({ port }) => requestMetadata(port, undefined, METADATA_TIMEOUT_MS)),
      );
      return known.every((metadata) => metadata?.brokers.length === this.brokers.length);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.brokers.map((broker) => broker[Symbol.asyncDispose]()));
    await this.controller[Symbol.asyncDispose]();
  }

  /** Brokers may be killed or paused: the next one is asked then. */
  async #onAnyBroker<T>(ask: (port: number) => Promise<T>): Promise<T> {
    let failure: unknown;
    for (const { port } of this.brokers) {
      try {
        return await ask(port);
      } catch (thrown) {
        failure = thrown;
      }
    }
    throw failure;
  }
}

async function untilTrue(deadlineMs: number, what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await condition())) {
    if (performance.now() > deadline)
      throw new BrokerError("request_failed", `waited ${deadlineMs / 1000} s for ${what}`);
    await Bun.sleep(POLL_MS);
  }
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

/** The id in the data of a node that was formatted before. */
async function formattedClusterId(dataDir: string): Promise<string | undefined> {
  const file = Bun.file(join(dataDir, "log", "meta.properties"));
  return (await file.exists()) ? /^cluster\.id=(.+)$/m.exec(await file.text())?.[1] : undefined;
}

/** A controller does not serve metadata to clients. */
function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, loopback, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
