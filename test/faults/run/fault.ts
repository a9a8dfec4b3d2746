// What a fault is, and the system that it is injected into.
import type { SmallDisk } from "@ingest/testkit";
import type { ProxiedCluster } from "@ingest/testkit/kafka";
import type { RestartableService } from "./restartable-service.ts";

/** What faults are injected into. */
export interface System {
  kafka: ProxiedCluster;
  /** The topic that events go to. */
  topic: string;
  producer: RestartableService;
  consumer: RestartableService;
  /** The file system of the producer's journal. */
  disk: SmallDisk;
}

export type Component = "broker" | "controller" | "connection" | "producer" | "consumer" | "disk";

export interface Fault {
  readonly name: string;
  /** What it disturbs. Faults of the same component never overlap. */
  readonly components: readonly Component[];
  /** How often it is drawn, relative to the others. */
  readonly weight: number;
  /** Its shortest and its longest duration, ms. */
  readonly durationMs: readonly [number, number];
  /** @param broker the index of the broker that it disturbs, where it disturbs one */
  begin(system: System, broker: number): void | Promise<void>;
  end(system: System, broker: number): void | Promise<void>;
}
