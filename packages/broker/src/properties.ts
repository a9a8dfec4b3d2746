// Kafka's own properties for nodes on a developer's machine.

export interface ClusterLayout {
  /** Brokers of the cluster. */
  brokers: number;
  /** `num.partitions`: the default of new topics. */
  partitions: number;
  /** In-sync replicas that a write with acks=all needs; the default of new topics. */
  minInsyncReplicas: number;
  /** The id of the only controller. */
  controllerId: number;
  controllerPort: number;
}

/** What Kafka recommends for its internal topics, where there are that many brokers. */
const INTERNAL_REPLICAS = 3;
const INTERNAL_MIN_ISR = 2;

/** Of every node of a cluster. */
function sharedProperties(layout: ClusterLayout): Record<string, string> {
  const internalReplicas = String(Math.min(INTERNAL_REPLICAS, layout.brokers));
  const internalMinIsr = String(Math.min(INTERNAL_MIN_ISR, layout.brokers));
  return {
    // A static quorum: the controller's port is not written into the data, so it may differ at each start.
    "controller.quorum.voters": `${layout.controllerId}@127.0.0.1:${layout.controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    "num.partitions": String(layout.partitions),
    "default.replication.factor": internalReplicas,
    "min.insync.replicas": String(layout.minInsyncReplicas),
    // A mistyped topic should be an error, as it is on a production cluster.
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": internalReplicas,
    "transaction.state.log.replication.factor": internalReplicas,
    "transaction.state.log.min.isr": internalMinIsr,
    "share.coordinator.state.topic.replication.factor": internalReplicas,
    "share.coordinator.state.topic.min.isr": internalMinIsr,
    // Few partitions and threads: they are created on first use, and the defaults (50) take seconds.
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "4",
    "group.coordinator.threads": "1",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "log.cleaner.dedupe.buffer.size": String(8 * 1024 * 1024),
    // A group's first member doesn't wait for others that a test has not started.
    "group.initial.rebalance.delay.ms": "0",
    // A killed broker can register again only when its former session has ended (9 s by default).
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    // Short group sessions are allowed, so that a test sees a dead member leave.
    "group.min.session.timeout.ms": "1000",
  };
}

/** A broker and the controller in one: a cluster of a single node. */
export function combinedProperties(layout: ClusterLayout, port: number): Record<string, string> {
  return {
    ...sharedProperties(layout),
    "process.roles": "broker,controller",
    "node.id": String(layout.controllerId),
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${layout.controllerPort}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
  };
}

export function controllerProperties(layout: ClusterLayout): Record<string, string> {
  return {
    ...sharedProperties(layout),
    "process.roles": "controller",
    "node.id": String(layout.controllerId),
    listeners: `CONTROLLER://127.0.0.1:${layout.controllerPort}`,
  };
}

export function brokerProperties(layout: ClusterLayout, id: number, port: number): Record<string, string> {
  return {
    ...sharedProperties(layout),
    "process.roles": "broker",
    "node.id": String(id),
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${port}`,
    // As on one node, the controller's name is not among a broker's own listeners.
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
  };
}

/** Java's properties format. */
export function toPropertiesFile(properties: Readonly<Record<string, string>>): string {
  return `${Object.entries(properties)
    .map(([name, value]) => `${name}=${value.replaceAll("\\", "\\\\")}`)
    .join("\n")}\n`;
}
