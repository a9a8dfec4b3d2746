import { loopback } from "./probe.ts";

export interface BrokerLayout {
  port: number;
  controllerPort: number;
  logFolder: string;
  /** `num.partitions`: the default of new topics. */
  partitions: number;
  /** Kafka's own names; they override the defaults here. */
  properties: Readonly<Record<string, string>>;
}

/** A single KRaft node, broker and controller in one, sized for a developer's machine. */
export function serverProperties(layout: BrokerLayout): string {
  const properties: Record<string, string> = {
    "process.roles": "broker,controller",
    "node.id": "1",
    // A static quorum: the controller's port is not written into the data, so it may differ at each start.
    "controller.quorum.voters": `1@${loopback}:${layout.controllerPort}`,
    listeners: `PLAINTEXT://${loopback}:${layout.port},CONTROLLER://${loopback}:${layout.controllerPort}`,
    "advertised.listeners": `PLAINTEXT://${loopback}:${layout.port}`,
    "controller.listener.names": "CONTROLLER",
    "log.dirs": layout.logFolder,
    "num.partitions": String(layout.partitions),
    // A mistyped topic should be an error, as it is on a production cluster.
    "auto.create.topics.enable": "false",
    // One node: internal topics can have one replica only.
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
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
    ...layout.properties,
  };
  return `${Object.entries(properties)
    .map(([name, value]) => `${name}=${value.replaceAll("\\", "\\\\")}`)
    .join("\n")}\n`;
}
