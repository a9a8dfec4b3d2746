// The faults of a run, and the plan by which a seed orders them.
import type { Random, SmallDisk } from "@ingest/testkit";
import type { ProxiedBroker } from "@ingest/testkit/kafka";
import type { RestartableService } from "./restartable-service.ts";

/** What faults are injected into. */
export interface System {
  kafka: ProxiedBroker;
  producer: RestartableService;
  consumer: RestartableService;
  /** The file system of the producer's journal. */
  disk: SmallDisk;
}

type Component = "broker" | "connection" | "producer" | "consumer" | "disk";

export interface Fault {
  readonly name: string;
  /** What it disturbs. Faults of the same component never overlap. */
  readonly components: readonly Component[];
  /** How often it is drawn, relative to the others. */
  readonly weight: number;
  /** Its shortest and its longest duration, ms. */
  readonly durationMs: readonly [number, number];
  begin(system: System): void | Promise<void>;
  end(system: System): void | Promise<void>;
}

export const faults: readonly Fault[] = [
  {
    name: "broker killed",
    components: ["broker"],
    weight: 2,
    durationMs: [500, 6_000],
    begin: ({ kafka }) => kafka.broker.kill(),
    end: ({ kafka }) => kafka.broker.restart(),
  },
  {
    name: "broker paused",
    components: ["broker"],
    weight: 2,
    durationMs: [500, 8_000],
    begin: ({ kafka }) => kafka.broker.pause(),
    end: ({ kafka }) => kafka.broker.resume(),
  },
  {
    name: "connections reset",
    components: ["connection"],
    weight: 3,
    durationMs: [200, 8_000],
    begin: ({ kafka }) => kafka.proxy.cut(),
    end: ({ kafka }) => kafka.proxy.restore(),
  },
  {
    name: "connections silent",
    components: ["connection"],
    weight: 2,
    durationMs: [500, 8_000],
    begin: ({ kafka }) => kafka.proxy.silence(),
    end: ({ kafka }) => kafka.proxy.restore(),
  },
  {
    name: "connections slow",
    components: ["connection"],
    weight: 2,
    durationMs: [1_000, 8_000],
    begin: ({ kafka }) => kafka.proxy.slow({ delayMs: 100, bytesPerSecond: 100_000 }),
    end: ({ kafka }) => kafka.proxy.restore(),
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
    begin: ({ disk, kafka }) => {
      kafka.proxy.cut();
      disk.fill();
    },
    end: ({ disk, kafka }) => {
      kafka.proxy.restore();
      disk.release();
    },
  },
];

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

/** A fault with its time in the run. */
export interface PlannedFault {
  fault: Fault;
  startMs: number;
  durationMs: number;
}

/** The share of faults that begin while the one before is still active. */
const OVERLAP_SHARE = 0.3;
const REST_MS = [500, 3_000] as const;

/** A run's faults: the same for the same random numbers. The last one has ended by `totalMs`. */
export function planFaults(
  random: Random,
  totalMs: number,
  candidates: readonly Fault[] = faults,
): PlannedFault[] {
  const plan: PlannedFault[] = [];
  let startMs = 1_000;
  for (;;) {
    const disturbed = plan
      .filter((other) => other.startMs + other.durationMs > startMs)
      .flatMap(({ fault }) => fault.components);
    const free = candidates.filter(({ components }) => !components.some((one) => disturbed.includes(one)));
    const fault = random.weighted(free.length > 0 ? free : candidates);
    const durationMs = random.between(...fault.durationMs);
    const isOverlapping = random.chance(OVERLAP_SHARE);
    const restMs = random.between(...REST_MS);
    if (free.length > 0) {
      if (startMs + durationMs > totalMs) return plan;
      plan.push({ fault, startMs, durationMs });
    }
    const last = plan[plan.length - 1]!;
    startMs += isOverlapping && free.length > 0 ? last.durationMs / 2 : last.durationMs + restMs;
  }
}

/** Injects the planned faults at their times. One that takes long to end, such as a broker's restart, delays others. */
export async function injectFaults(
  plan: readonly PlannedFault[],
  system: System,
  report: (text: string) => void,
): Promise<void> {
  const start = performance.now();
  const untilMs = (ms: number) => Bun.sleep(Math.max(0, start + ms - performance.now()));
  const active = new Map<Component, Promise<void>>();
  for (const { fault, startMs, durationMs } of plan) {
    await untilMs(startMs);
    await Promise.all(fault.components.map((component) => active.get(component)));
    report(`${fault.name} (${(durationMs / 1000).toFixed(1)} s)`);
    await fault.begin(system);
    const ended = Bun.sleep(durationMs).then(() => fault.end(system));
    for (const component of fault.components) active.set(component, ended);
  }
  await Promise.all(active.values());
}
