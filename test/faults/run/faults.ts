// The faults that a run can have.
import type { TcpProxy } from "@ingest/testkit/kafka";
import { clusterFaults } from "./cluster-faults.ts";
import type { Fault, System } from "./fault.ts";

/** Of one broker; all others live. */
const brokerFaults: readonly Fault[] = [
  {
    name: "broker killed",
    components: ["broker"],
    weight: 2,
    durationMs: [500, 6_000],
    begin: ({ kafka }, broker) => kafka.brokers[broker]!.broker.kill(),
    end: ({ kafka }, broker) => kafka.brokers[broker]!.broker.restart(),
  },
  {
    name: "broker paused",
    components: ["broker"],
    weight: 2,
    durationMs: [500, 8_000],
    begin: ({ kafka }, broker) => kafka.brokers[broker]!.broker.pause(),
    end: ({ kafka }, broker) => kafka.brokers[broker]!.broker.resume(),
  },
];

const sharedFaults: readonly Fault[] = [
  {
    name: "connections reset",
    components: ["connection"],
    weight: 3,
    durationMs: [200, 8_000],
    begin: (system) => onAllProxies(system, (proxy) => proxy.cut()),
    end: restoreConnections,
  },
  {
    name: "connections silent",
    components: ["connection"],
    weight: 2,
    durationMs: [500, 8_000],
    begin: (system) => onAllProxies(system, (proxy) => proxy.silence()),
    end: restoreConnections,
  },
  {
    name: "connections slow",
    components: ["connection"],
    weight: 2,
    durationMs: [1_000, 8_000],
    begin: (system) => onAllProxies(system, (proxy) => proxy.slow({ delayMs: 100, bytesPerSecond: 100_000 })),
    end: restoreConnections,
  },
  ...serviceFaults("producer", { killed: 3, terminated: 2, paused: 2 }, [200, 6_000]),
  ...serviceFaults("consumer", { killed: 2, terminated: 1, paused: 2 }, [500, 10_000]),
  {
    name: "journal disk full",
    components: ["disk"],
    weight: 1,
    durationMs: [500, 5_000],
    begin: ({ disk }) => disk.fill(),
    end: ({ disk }) => disk.release(),
  },
  {
    name: "journal disk full while connections are reset",
    components: ["disk", "connection"],
    weight: 2,
    durationMs: [1_000, 8_000],
    begin: (system) => {
      onAllProxies(system, (proxy) => proxy.cut());
      system.disk.fill();
    },
    end: (system) => {
      restoreConnections(system);
      system.disk.release();
    },
  },
];

function restoreConnections(system: System): void {
  onAllProxies(system, (proxy) => proxy.restore());
}

/** The faults that a cluster of this many brokers can have. */
export function faultsOf(brokers: number): readonly Fault[] {
  return [...brokerFaults, ...(brokers > 1 ? clusterFaults : []), ...sharedFaults];
}

/** SIGKILL, SIGTERM and SIGSTOP for one of the services, with their weights. */
function serviceFaults(
  service: "producer" | "consumer",
  weights: Record<"killed" | "terminated" | "paused", number>,
  pauseMs: readonly [number, number],
): Fault[] {
  const components = [service] as const;
  return [
    {
      name: `${service} killed`,
      components,
      weight: weights.killed,
      durationMs: [100, 2_000],
      begin: (system) => system[service].kill(),
      end: (system) => system[service].start(),
    },
    {
      name: `${service} terminated`,
      components,
      weight: weights.terminated,
      durationMs: [0, 500],
      begin: (system) => system[service].terminate(),
      end: (system) => system[service].start(),
    },
    {
      name: `${service} paused`,
      components,
      weight: weights.paused,
      durationMs: pauseMs,
      begin: (system) => system[service].pause(),
      end: (system) => system[service].resume(),
    },
  ];
}

function onAllProxies({ kafka }: System, act: (proxy: TcpProxy) => void): void {
  for (const { proxy } of kafka.brokers) act(proxy);
}
