// A cluster of one node.
import { ensureClassArchive, type KafkaRuntime, prepareRuntime } from "./jvm.ts";
import {
  KafkaNode,
  type NodeOptions,
  type NodeProcess,
  randomClusterId,
  temporaryDataDir,
} from "./kafka-node.ts";
import { assertPortFree, freePort, loopback } from "./probe.ts";
import { combinedProperties } from "./properties.ts";
import { brokerResponds } from "./requests.ts";

const HEAP_MIB = 512;

export interface BrokerOptions {
  /** On 127.0.0.1. By default 0: a free port, which `restart()` keeps. */
  port?: number;
  /** Folder for the records, which stays. By default a temporary folder, removed with the broker. */
  dataDir?: string;
  /** Default partitions of new topics; 6 by default. */
  partitions?: number;
  /** Kafka's own broker properties; they override the defaults. */
  properties?: Readonly<Record<string, string>>;
  /** How the user chooses the port, for the error message when it is busy. */
  portSetting?: string;
  /** Called at slow steps, such as the first download. */
  onProgress?: (message: string) => void;
}

/** A Kafka broker in a process of its own. */
export interface Broker extends NodeProcess, AsyncDisposable {
  readonly bootstrapServers: string;
  readonly port: number;
}

/**
 * Starts a Kafka broker and resolves once it serves requests.
 * @throws BrokerError when Java or Maven is missing, the port is busy, or Kafka does not start
 */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const runtime = await preparedRuntime(options.onProgress);
  if (options.port) await assertPortFree(options.port, options.portSetting ?? "the option `port`");
  const broker = await createBroker(runtime, options);
  await broker.start();
  return broker;
}

/** Java and Kafka, with the archive that makes starts fast. */
export async function preparedRuntime(onProgress?: (message: string) => void): Promise<KafkaRuntime> {
  const runtime = await prepareRuntime(onProgress);
  await ensureClassArchive(runtime, async (dumpArchiveTo) => {
    onProgress?.("preparing Kafka for fast starts (a few seconds, once)");
    await using warmUp = await createBroker(runtime, {}, dumpArchiveTo);
    await warmUp.start();
    await warmUp.stop();
  });
  return runtime;
}

async function createBroker(
  runtime: KafkaRuntime,
  options: BrokerOptions,
  dumpArchiveTo?: string,
): Promise<BrokerNode> {
  const port = options.port || (await freePort());
  const layout = {
    brokers: 1,
    partitions: options.partitions ?? 6,
    minInsyncReplicas: 1,
    controllerId: 1,
    controllerPort: await freePort(),
  };
  return new BrokerNode({
    runtime,
    port,
    properties: { ...combinedProperties(layout, port), ...options.properties },
    clusterId: randomClusterId(),
    dataDir: options.dataDir ?? (await temporaryDataDir()),
    isTemporary: options.dataDir === undefined,
    heapMiB: HEAP_MIB,
    isReady: () => brokerResponds(port),
    ...(dumpArchiveTo === undefined ? {} : { dumpArchiveTo }),
  });
}

/** A node that clients connect to. */
export class BrokerNode extends KafkaNode implements Broker {
  readonly port: number;

  constructor(options: NodeOptions) {
    super(options);
    this.port = options.port;
  }

  get bootstrapServers(): string {
    return `${loopback}:${this.port}`;
  }
}
