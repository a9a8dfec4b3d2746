// A server on a topic of its own, under load with exact accounting: as many records as 202s, or the load is void.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Broker, freePort } from "@ingest/broker";
import type { KafkaAdmin } from "@ingest/kafka";
import { checkAnswers, checkRecords } from "./checks.ts";
import type { Cores } from "./cores.ts";
import { fire } from "./loads.ts";
import { machineBusyMicros } from "./machine.ts";
import { cpuMicros, peakMemoryMiB } from "./process-tree.ts";
import type { CountedLoad } from "./report-schema.ts";
import { MeasuredServer } from "./server.ts";
import type { Subject } from "./subjects.ts";
import { MeasuredTopic } from "./topic.ts";

/** What every measured program shares. */
export interface Bench {
  readonly cores: Cores;
  readonly broker: Broker;
  readonly admin: KafkaAdmin;
  /** For logs. */
  readonly folder: string;
}

export interface LoadShape {
  /** For the load generator. */
  readonly flags: readonly string[];
  readonly seconds: number;
  readonly payloadBytes: number;
}

export class CountedServer implements AsyncDisposable {
  /** Records that must be in the topic by now: all 202s so far. */
  #expected = 0;

  private constructor(
    private readonly bench: Bench,
    private readonly subject: Subject,
    private readonly server: MeasuredServer,
    private readonly topic: MeasuredTopic,
  ) {}

  /**
   * Makes the topic and starts the server. Disposing of it stops the server and removes the topic.
   * @throws ServerError when it doesn't start
   */
  static async start(
    bench: Bench,
    subject: Subject,
    name: string,
    partitions: number,
  ): Promise<CountedServer> {
    const { admin, broker, cores, folder } = bench;
    await mkdir(folder, { recursive: true });
    const topic = await MeasuredTopic.create(admin, broker.bootstrapServers, name, partitions);
    try {
      const server = await MeasuredServer.start({
        subject,
        port: await freePort(),
        cores: subject.hasTwoCores ? cores.two : cores.server,
        topic: topic.name,
        bootstrapServers: broker.bootstrapServers,
        env: subject.isOurs ? { JOURNAL_DIR: join(broker.dataDir, "journal", name) } : {},
        logFile: join(folder, `${name}.log`),
      });
      return new CountedServer(bench, subject, server, topic);
    } catch (thrown) {
      await topic.remove();
      throw thrown;
    }
  }

  /** @throws Error naming every answer and record that isn't as the contract says: no load is worth measuring then */
  async check(): Promise<void> {
    const { problems, taken } = await checkAnswers(this.server.url, this.subject.isOurs);
    this.#expected += taken;
    const landed = await this.topic.settle(this.#expected);
    if (landed !== taken) problems.push(`${taken} accepted, ${landed} records`);
    else problems.push(...checkRecords(await this.topic.readAll()));
    if (problems.length > 0) throw new Error(`wrong answers:\n${problems.join("\n")}`);
  }

  /** One load, from before its first request until everything that was accepted has landed. */
  async load(shape: LoadShape): Promise<CountedLoad> {
    const logFolder = join(this.bench.broker.dataDir, "log");
    const storedBefore = await this.topic.storedBytes(logFolder);
    const before = this.#cpu();
    const { report, cpuMicros: loadMicros } = await this.#fire(shape);
    const { accepted, refused, unknown } = report.events;
    this.#expected += accepted;
    const landed = await this.topic.settle(this.#expected);
    const used = subtract(this.#cpu(), before);
    const reasons: string[] = [];
    if (landed !== this.#expected) reasons.push(`${this.#expected} accepted in all, ${landed} records`);
    if (unknown > 0) reasons.push(`${unknown} events of unknown fate`);
    if (accepted === 0) reasons.push("nothing was accepted");
    // The next load starts from what is there, not from what should be.
    this.#expected = landed;

    const stored = (await this.topic.storedBytes(logFolder)) - storedBefore;

    const elapsedMicros = report.elapsedSeconds * 1e6;
    const known = used.server + used.broker + used.harness + loadMicros;
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
      othersCpuShare: round(Math.max(0, used.machine - known) / elapsedMicros),
      p50Ms: report.latencyMs.accepted?.p50 ?? null,
      p99Ms: report.latencyMs.accepted?.p99 ?? null,
      peakMemoryMiB: round(peakMemoryMiB(this.server.pid)),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
    await this.topic.remove();
  }

  #cpu() {
    const own = process.cpuUsage();
    return {
      server: cpuMicros(this.server.pid),
      broker: cpuMicros(this.bench.broker.pid),
      harness: own.user + own.system,
      machine: machineBusyMicros(),
    };
  }

  #fire({ flags, seconds, payloadBytes }: LoadShape) {
    const { cores, folder } = this.bench;
    return fire({
      url: this.server.url,
      flags,
      amount: { seconds },
      payloadBytes,
      cores: this.subject.hasTwoCores ? cores.loadBesideTwo : cores.load,
      folder,
    });
  }
}

function subtract<T extends Record<string, number>>(after: T, before: T): T {
  return Object.fromEntries(Object.entries(after).map(([key, value]) => [key, value - before[key]!])) as T;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
