// A server with a topic of its own. After each load the topic must have one record for every 202, or the load is void.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Broker, freePort } from "@ingest/broker";
import type { KafkaAdmin } from "@ingest/kafka";
import { checkRecords, checkResponses } from "./contract-checks.ts";
import type { Cores } from "./cores.ts";
import { runLoadGenerator } from "./load-generator.ts";
import { machineBusyMicros } from "./machine.ts";
import type { LoadMeasurement } from "./measurement.ts";
import { cpuMicros, peakMemoryMiB } from "./process-tree.ts";
import { ServerProcess, type ServerSpec } from "./server-process.ts";
import { MeasuredTopic } from "./topic.ts";

/** What all servers of a run share. */
export interface TestBed {
  readonly cores: Cores;
  readonly broker: Broker;
  readonly admin: KafkaAdmin;
  /** For the servers' output. */
  readonly logFolder: string;
}

export interface Load {
  /** For the load generator. */
  readonly flags: readonly string[];
  readonly seconds: number;
  readonly payloadBytes: number;
}

export class ServerUnderLoad implements AsyncDisposable {
  /** Records that the topic must have by now: one for every 202 so far. */
  #expected = 0;

  private constructor(
    private readonly testBed: TestBed,
    private readonly spec: ServerSpec,
    private readonly server: ServerProcess,
    private readonly topic: MeasuredTopic,
  ) {}

  /**
   * Creates the topic and starts the server. Disposal stops the server and deletes the topic.
   * @param name of the topic and of the log file
   * @throws ServerStartError
   */
  static async start(
    testBed: TestBed,
    spec: ServerSpec,
    name: string,
    partitions: number,
  ): Promise<ServerUnderLoad> {
    const { admin, broker, cores, logFolder } = testBed;
    await mkdir(logFolder, { recursive: true });
    const topic = await MeasuredTopic.create(admin, broker.bootstrapServers, name, partitions);
    try {
      const server = await ServerProcess.start({
        spec,
        port: await freePort(),
        cores: spec.hasTwoCores ? cores.two : cores.server,
        topic: topic.name,
        bootstrapServers: broker.bootstrapServers,
        env: spec.isOurs ? { JOURNAL_DIR: join(broker.dataDir, "journal", name) } : {},
        logFile: join(logFolder, `${name}.log`),
      });
      return new ServerUnderLoad(testBed, spec, server, topic);
    } catch (thrown) {
      await topic.delete();
      throw thrown;
    }
  }

  /** @throws Error that lists every response and record that violates the contract: no load is worth measuring then */
  async checkContract(): Promise<void> {
    const { problems, accepted } = await checkResponses(this.server.url, this.spec.isOurs);
    this.#expected += accepted;
    const found = await this.topic.settle(this.#expected);
    if (found !== this.#expected) problems.push(`${this.#expected} accepted in all, ${found} records`);
    else problems.push(...checkRecords(await this.topic.readAll()));
    if (problems.length > 0) throw new Error(`contract violated:\n${problems.join("\n")}`);
  }

  /** Measures one load, from before its first request until the topic has every accepted event. */
  async measure(load: Load): Promise<LoadMeasurement> {
    const brokerLog = join(this.testBed.broker.dataDir, "log");
    const storedBefore = await this.topic.storedBytes(brokerLog);
    const before = this.#cpu();
    const { report, cpuMicros: loadMicros } = await this.#run(load);
    const { accepted, refused, unknown } = report.events;
    this.#expected += accepted;
    const found = await this.topic.settle(this.#expected);
    const used = subtract(this.#cpu(), before);
    const reasons: string[] = [];
    if (found !== this.#expected) reasons.push(`${this.#expected} accepted in all, ${found} records`);
    if (unknown > 0) reasons.push(`${unknown} events with unknown outcome`);
    if (accepted === 0) reasons.push("nothing was accepted");
    // A wrong count voids one load, not all that follow.
    this.#expected = found;

    const stored = (await this.topic.storedBytes(brokerLog)) - storedBefore;

    const elapsedMicros = report.elapsedSeconds * 1e6;
    const ownMicros = used.server + used.broker + used.harness + loadMicros;
    return {
      void: reasons,
      eventBytes: report.setup.eventBytes,
      accepted,
      refused,
      seconds: report.elapsedSeconds,
      eventsPerSecond: report.events.acceptedPerSecond,
      cpuMicrosPerEvent: round(used.server / Math.max(1, accepted)),
      serverCpuShare: round(used.server / elapsedMicros),
      brokerCpuMicrosPerEvent: round(used.broker / Math.max(1, accepted)),
      storedBytesPerEvent: round(stored / Math.max(1, accepted)),
      loadCpuShare: report.benchCpu.share,
      othersCpuShare: round(Math.max(0, used.machine - ownMicros) / elapsedMicros),
      p50Ms: report.latencyMs.accepted?.p50 ?? null,
      p99Ms: report.latencyMs.accepted?.p99 ?? null,
      peakMemoryMiB: round(peakMemoryMiB(this.server.pid)),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
    await this.topic.delete();
  }

  #cpu() {
    const own = process.cpuUsage();
    return {
      server: cpuMicros(this.server.pid),
      broker: cpuMicros(this.testBed.broker.pid),
      harness: own.user + own.system,
      machine: machineBusyMicros(),
    };
  }

  #run({ flags, seconds, payloadBytes }: Load) {
    const { cores, logFolder } = this.testBed;
    return runLoadGenerator({
      url: this.server.url,
      flags,
      amount: { seconds },
      payloadBytes,
      cores: this.spec.hasTwoCores ? cores.loadBesideTwo : cores.load,
      folder: logFolder,
    });
  }
}

function subtract<T extends Record<string, number>>(after: T, before: T): T {
  return Object.fromEntries(Object.entries(after).map(([key, value]) => [key, value - before[key]!])) as T;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
