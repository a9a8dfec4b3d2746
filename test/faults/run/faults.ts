// The faults that a run is made of, and in which order a seed has them.

import type { Random } from "@ingest/testkit";
import type { ProxiedBroker } from "../kit/proxied-broker.ts";
import type { ServiceProcess } from "../kit/service-process.ts";
import type { SmallDisk } from "../kit/small-disk.ts";

/** What faults are done to. */
export interface World {
  kafka: ProxiedBroker;
  producer: ServiceProcess;
  consumer: ServiceProcess;
  disk: SmallDisk;
}

type Target = "broker" | "link" | "producer" | "consumer" | "disk";

export interface Fault {
  readonly name: string;
  /** What it hurts: no two faults hurt the same at once. */
  readonly target: readonly Target[];
  /** How often it is drawn, relative to the others. */
  readonly weight: number;
  /** How long it lasts, ms: from and to. */
  readonly lastsMs: readonly [number, number];
  begin(world: World): void | Promise<void>;
  end(world: World): void | Promise<void>;
}

export const faults: readonly Fault[] = [
  {
    name: "broker killed",
    target: ["broker"],
    weight: 2,
    lastsMs: [500, 6_000],
    begin: ({ kafka }) => kafka.broker.kill(),
    end: ({ kafka }) => kafka.broker.restart(),
  },
  {
    name: "broker stopped and continued",
    target: ["broker"],
    weight: 2,
    lastsMs: [500, 8_000],
    begin: ({ kafka }) => kafka.broker.pause(),
    end: ({ kafka }) => kafka.broker.resume(),
  },
  {
    name: "link cut",
    target: ["link"],
    weight: 3,
    lastsMs: [200, 8_000],
    begin: ({ kafka }) => kafka.proxy.cut(),
    end: ({ kafka }) => kafka.proxy.mend(),
  },
  {
    name: "link silent",
    target: ["link"],
    weight: 2,
    lastsMs: [500, 8_000],
    begin: ({ kafka }) => kafka.proxy.silence(),
    end: ({ kafka }) => kafka.proxy.mend(),
  },
  {
    name: "link slow",
    target: ["link"],
    weight: 2,
    lastsMs: [1_000, 8_000],
    begin: ({ kafka }) => kafka.proxy.slow({ delayMs: 100, bytesPerSecond: 100_000 }),
    end: ({ kafka }) => kafka.proxy.mend(),
  },
  {
    name: "producer killed",
    target: ["producer"],
    weight: 3,
    lastsMs: [100, 2_000],
    begin: ({ producer }) => producer.kill(),
    end: ({ producer }) => producer.start(),
  },
  {
    name: "producer told to end",
    target: ["producer"],
    weight: 2,
    lastsMs: [0, 500],
    begin: ({ producer }) => producer.terminate(),
    end: ({ producer }) => producer.start(),
  },
  {
    name: "producer stopped and continued",
    target: ["producer"],
    weight: 2,
    lastsMs: [200, 6_000],
    begin: ({ producer }) => producer.pause(),
    end: ({ producer }) => producer.resume(),
  },
  {
    name: "consumer killed",
    target: ["consumer"],
    weight: 2,
    lastsMs: [100, 2_000],
    begin: ({ consumer }) => consumer.kill(),
    end: ({ consumer }) => consumer.start(),
  },
  {
    name: "consumer told to end",
    target: ["consumer"],
    weight: 1,
    lastsMs: [0, 500],
    begin: ({ consumer }) => consumer.terminate(),
    end: ({ consumer }) => consumer.start(),
  },
  {
    name: "consumer stopped and continued",
    target: ["consumer"],
    weight: 2,
    lastsMs: [500, 10_000],
    begin: ({ consumer }) => consumer.pause(),
    end: ({ consumer }) => consumer.resume(),
  },
  {
    name: "journal's disk full",
    target: ["disk"],
    weight: 1,
    lastsMs: [500, 5_000],
    begin: ({ disk }) => disk.fill(),
    end: ({ disk }) => disk.empty(),
  },
  {
    name: "journal's disk full while the link is cut",
    target: ["disk", "link"],
    weight: 2,
    lastsMs: [1_000, 8_000],
    begin: ({ disk, kafka }) => {
      kafka.proxy.cut();
      disk.fill();
    },
    end: ({ disk, kafka }) => {
      kafka.proxy.mend();
      disk.empty();
    },
  },
];

/** A fault with its time in the run. */
export interface Planned {
  fault: Fault;
  atMs: number;
  lastsMs: number;
}

/** Of all faults, how many begin while another still lasts. */
const OVERLAP = 0.3;
const REST_MS = [500, 3_000] as const;

/** The faults of a run: the same for the same source of chance. The last has ended by `totalMs`. */
export function planFaults(random: Random, totalMs: number, among: readonly Fault[] = faults): Planned[] {
  const plan: Planned[] = [];
  let atMs = 1_000;
  for (;;) {
    const overlapped = plan
      .filter((other) => other.atMs + other.lastsMs > atMs)
      .flatMap(({ fault }) => fault.target);
    const free = among.filter(({ target }) => !target.some((one) => overlapped.includes(one)));
    const fault = random.weighted(free.length > 0 ? free : among);
    const lastsMs = random.between(...fault.lastsMs);
    const isOverlapping = random.chance(OVERLAP);
    const restMs = random.between(...REST_MS);
    if (free.length > 0) {
      if (atMs + lastsMs > totalMs) return plan;
      plan.push({ fault, atMs, lastsMs });
    }
    const last = plan[plan.length - 1]!;
    atMs = isOverlapping && free.length > 0 ? atMs + last.lastsMs / 2 : atMs + last.lastsMs + restMs;
  }
}

/** Does to the world what the plan says, when it says so. Slow ends (a broker's start) put off what follows. */
export async function carryOut(
  plan: readonly Planned[],
  world: World,
  say: (text: string) => void,
): Promise<void> {
  const start = performance.now();
  const under = (ms: number) => Bun.sleep(Math.max(0, start + ms - performance.now()));
  const busy = new Map<Target, Promise<void>>();
  for (const { fault, atMs, lastsMs } of plan) {
    await under(atMs);
    // What hurts the same waits until the former is over.
    await Promise.all(fault.target.map((target) => busy.get(target)));
    say(`${fault.name} (${(lastsMs / 1000).toFixed(1)} s)`);
    await fault.begin(world);
    const over = Bun.sleep(lastsMs).then(() => fault.end(world));
    for (const target of fault.target) busy.set(target, over);
  }
  await Promise.all(busy.values());
}
