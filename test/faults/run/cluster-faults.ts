// Faults of a cluster of several brokers.
import { BrokerError } from "@ingest/broker";
import type { Fault, System } from "./fault.ts";

/** Of a cluster that survives the loss of a broker. */
export const clusterFaults: readonly Fault[] = [
  {
    name: "broker stopped",
    components: ["broker"],
    weight: 1,
    durationMs: [0, 3_000],
    begin: ({ kafka }, broker) => kafka.brokers[broker]!.broker.stop(),
    end: ({ kafka }, broker) => kafka.brokers[broker]!.broker.restart(),
  },
  {
    name: "leaders moved",
    components: ["broker"],
    weight: 2,
    durationMs: [200, 1_000],
    begin: moveLeaders,
    end: () => {},
  },
  {
    name: "min.insync.replicas not met: all brokers but one killed",
    components: ["broker"],
    weight: 2,
    durationMs: [2_000, 6_000],
    begin: async (system, broker) => {
      await Promise.all(others(system, broker).map(({ broker }) => broker.kill()));
    },
    end: async (system, broker) => {
      await Promise.all(others(system, broker).map(({ broker }) => broker.restart()));
    },
  },
  {
    name: "min.insync.replicas not met: all brokers but one paused",
    components: ["broker"],
    weight: 1,
    durationMs: [4_000, 8_000],
    begin: (system, broker) => {
      for (const { broker: other } of others(system, broker)) other.pause();
    },
    end: (system, broker) => {
      for (const { broker: other } of others(system, broker)) other.resume();
    },
  },
  {
    name: "one partition stuck",
    components: ["broker", "connection"],
    weight: 2,
    durationMs: [2_000, 10_000],
    begin: async (system, broker) => {
      await leadOnePartition(system, broker);
      // The broker is alive, so that the partition stays where it is.
      system.kafka.brokers[broker]!.proxy.silence();
    },
    end: ({ kafka }, broker) => kafka.brokers[broker]!.proxy.restore(),
  },
  {
    name: "connections to one broker reset",
    components: ["connection"],
    weight: 1,
    durationMs: [200, 8_000],
    begin: ({ kafka }, broker) => kafka.brokers[broker]!.proxy.cut(),
    end: ({ kafka }, broker) => kafka.brokers[broker]!.proxy.restore(),
  },
  {
    name: "controller killed",
    components: ["controller"],
    weight: 1,
    durationMs: [500, 6_000],
    begin: ({ kafka }) => kafka.cluster.controller.kill(),
    end: ({ kafka }) => kafka.cluster.controller.restart(),
  },
  {
    name: "controller paused",
    components: ["controller"],
    weight: 1,
    durationMs: [500, 8_000],
    begin: ({ kafka }) => kafka.cluster.controller.pause(),
    end: ({ kafka }) => kafka.cluster.controller.resume(),
  },
];

/** Each partition is led by the next broker. */
async function moveLeaders(system: System, broker: number): Promise<void> {
  const { kafka, topic } = system;
  await moveIfElectable(system, (partition) => (partition + broker) % kafka.brokers.length, topic);
}

/** The broker leads the first partition alone; the others lead the rest. */
async function leadOnePartition(system: System, broker: number): Promise<void> {
  const { kafka, topic } = system;
  const rest = kafka.brokers.map((_, index) => index).filter((index) => index !== broker);
  await moveIfElectable(
    system,
    (partition) => (partition === 0 ? broker : rest[partition % rest.length]!),
    topic,
  );
}

/** While the controller is lost, or a replica still catches up, no leader moves: then the fault is only what follows. */
async function moveIfElectable({ kafka }: System, leaderOf: (partition: number) => number, topic: string) {
  await kafka.cluster.moveLeaders(topic, leaderOf).catch((error: unknown) => {
    if (!(error instanceof BrokerError)) throw error;
  });
}

function others({ kafka }: System, broker: number) {
  return kafka.brokers.filter((_, index) => index !== broker);
}
