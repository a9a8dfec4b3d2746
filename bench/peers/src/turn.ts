// One turn of one server: start it on an empty topic, check its answers, warm it up, give it each of its loads.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Broker, freePort } from "@ingest/broker";
import type { KafkaAdmin } from "@ingest/kafka";
import { checkAnswers, checkRecords } from "./checks.ts";
import type { Cores } from "./cores.ts";
import { fire, type LoadName, loads, plan } from "./loads.ts";
import { machineBusyMicros } from "./machine.ts";
import type { Options } from "./options.ts";
import { cpuMicros, peakMemoryMiB } from "./process-tree.ts";
import type { Sample } from "./report-schema.ts";
import { MeasuredServer } from "./server.ts";
import type { Subject } from "./subjects.ts";
import { MeasuredTopic } from "./topic.ts";

export interface TurnContext {
  readonly options: Options;
  readonly cores: Cores;
  readonly broker: Broker;
  readonly admin: KafkaAdmin;
  readonly say: (message: string) => void;
}

/**
 * @returns a sample for each load; one that can't be trusted is void and says why
 * @throws ServerError when it doesn't start, Error when its answers are wrong: no load is worth measuring then
 */
export async function takeTurn(context: TurnContext, subject: Subject, round: number): Promise<Sample[]> {
  const { options, broker, admin, cores } = context;
  const name = `peers-${subject.name}-${round}`;
  const folder = join(options.out, "logs");
  await mkdir(folder, { recursive: true });
  const topic = await MeasuredTopic.create(admin, broker.bootstrapServers, name, options.partitions);
  try {
    await using server = await MeasuredServer.start({
      subject,
      port: await freePort(),
      cores: subject.workers > 1 ? cores.twoWorkers : cores.server,
      topic: topic.name,
      bootstrapServers: broker.bootstrapServers,
      env: subject.isOurs ? { JOURNAL_DIR: join(broker.dataDir, "journal", name) } : {},
      logFile: join(folder, `${name}.log`),
    });
    const turn = new Turn(context, subject, round, server, topic, folder);
    await turn.check();
    await turn.warmUp();
    const samples: Sample[] = [];
    for (const load of plan[subject.name]) samples.push(await turn.measure(load));
    return samples;
  } finally {
    await topic.remove();
  }
}

class Turn {
  /** Records that must be in the topic by now: all 202s so far. */
  #expected = 0;

  constructor(
    private readonly context: TurnContext,
    private readonly subject: Subject,
    private readonly round: number,
    private readonly server: MeasuredServer,
    private readonly topic: MeasuredTopic,
    private readonly folder: string,
  ) {}

  async check(): Promise<void> {
    const { problems, taken } = await checkAnswers(this.server.url, this.subject.isOurs);
    this.#expected += taken;
    const landed = await this.topic.settle(this.#expected);
    if (landed !== taken) problems.push(`${taken} accepted, ${landed} records`);
    else problems.push(...checkRecords(await this.topic.readAll()));
    if (problems.length > 0) throw new Error(`wrong answers:\n${problems.join("\n")}`);
  }

  async warmUp(): Promise<void> {
    const { warmUpSeconds } = this.context.options;
    if (warmUpSeconds === 0) return;
    const { report } = await this.#fire("c64", warmUpSeconds);
    this.#expected += report.events.accepted;
    await this.topic.settle(this.#expected);
  }

  async measure(load: LoadName): Promise<Sample> {
    const { say, options } = this.context;
    const before = this.#cpu();
    const { report, cpuMicros: loadMicros } = await this.#fire(load, options.seconds);
    const accepted = report.events.accepted;
    this.#expected += accepted;
    const landed = await this.topic.settle(this.#expected);
    const used = subtract(this.#cpu(), before);
    const reasons: string[] = [];
    if (landed !== this.#expected) reasons.push(`${this.#expected} accepted in all, ${landed} records`);
    if (report.events.unknown > 0) reasons.push(`${report.events.unknown} events of unknown fate`);
    if (accepted === 0) reasons.push("nothing was accepted");
    // The next load starts from what is there, not from what should be.
    this.#expected = landed;

    const elapsedMicros = report.elapsedSeconds * 1e6;
    const known = used.server + used.broker + used.harness + loadMicros;
    const sample: Sample = {
      subject: this.subject.name,
      load,
      round: this.round,
      void: reasons,
      eventBytes: report.setup.eventBytes,
      accepted,
      refused: report.events.refused,
      seconds: report.elapsedSeconds,
      eventsPerSecond: report.events.acceptedPerSecond,
      cpuMicrosPerEvent: round(used.server / Math.max(1, accepted)),
      serverCpuShare: round(used.server / elapsedMicros),
      brokerCpuMicrosPerEvent: round(used.broker / Math.max(1, accepted)),
      loadCpuShare: report.benchCpu.share,
      othersCpuShare: round(Math.max(0, used.machine - known) / elapsedMicros),
      p50Ms: report.latencyMs.accepted?.p50 ?? null,
      p99Ms: report.latencyMs.accepted?.p99 ?? null,
      peakMemoryMiB: round(peakMemoryMiB(this.server.pid)),
    };
    const verdict = reasons.length === 0 ? "" : ` VOID: ${reasons.join("; ")}`;
    say(
      `round ${this.round + 1} · ${this.subject.title} · ${loads[load].title}: ` +
        `${sample.cpuMicrosPerEvent.toFixed(2)} µs CPU an event, ${Math.round(sample.eventsPerSecond)}/s${verdict}`,
    );
    return sample;
  }

  #cpu() {
    return {
      server: cpuMicros(this.server.pid),
      broker: cpuMicros(this.context.broker.pid),
      harness: process.cpuUsage().user + process.cpuUsage().system,
      machine: machineBusyMicros(),
    };
  }

  #fire(load: LoadName, seconds: number) {
    const { cores, options } = this.context;
    return fire({
      url: this.server.url,
      flags: loads[load].flags,
      amount: { seconds },
      payloadBytes: options.payloadBytes,
      cores: this.subject.workers > 1 ? cores.loadBesideTwo : cores.load,
      folder: this.folder,
    });
  }
}

function subtract<T extends Record<string, number>>(after: T, before: T): T {
  return Object.fromEntries(Object.entries(after).map(([key, value]) => [key, value - before[key]!])) as T;
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
