// A fault run: Kafka behind a proxy, both services as processes, load with all three promises, faults by a seed, an audit.
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@ingest/broker";
import { clientSettings, createAdmin, type KafkaAdmin, toClientConfig } from "@ingest/kafka";
import { parseSettings } from "@ingest/service";
import { Random, until } from "@ingest/testkit";
import { type ProxiedBroker, startProxiedBroker } from "../kit/proxied-broker.ts";
import { TcpProxy } from "../kit/proxy.ts";
import { ServiceProcess } from "../kit/service-process.ts";
import { mountSmallDisk, type SmallDisk } from "../kit/small-disk.ts";
import { type Audit, audit, type Cause } from "./audit.ts";
import { carryOut, faults, type Planned, planFaults } from "./faults.ts";
import { type Answer, Ledger } from "./ledger.ts";
import { startLoad } from "./load.ts";

export interface RunOptions {
  seed: number;
  /** How long faults go on, minutes. */
  minutes: number;
  /** Callers at once, and the longest pause of each between two events, ms. */
  users: number;
  thinkMs: number;
  /** Members of the consumers' group. Faults hurt the first; what it had moves to the others. */
  consumers: number;
  say(text: string): void;
  /** Ends the run early, and everything it started. */
  signal?: AbortSignal;
}

export interface RunReport {
  seed: number;
  minutes: number;
  /** How often each fault was done. */
  faults: Record<string, number>;
  /** Events by answer; `none`: begun and never answered (there are none). */
  answered: Record<Answer, number>;
  /** Answers that weren't a promise, after which the event was sent again. */
  sentAgain: Record<string, number>;
  audit: Audit;
  producer: ProcessReport;
  consumers: ProcessReport[];
  /** Faults that this machine can't have: no small disk could be mounted to be filled. */
  leftOut: string[];
  /** Everything that must not be. Empty when all is well. */
  failures: string[];
  /** Where the services' logs are. */
  folder: string;
}

interface ProcessReport {
  name: "producer" | "consumer";
  lives: number;
  /** Lives that ended otherwise than they were told to. */
  accidents: number;
  peakRssMiB: number;
}

const MIB = 1024 * 1024;
/** What each process may hold at most: bounded queues, whatever is done to it. */
const MEMORY_BUDGET_MIB = 400;
const DISK_BYTES = 24 * MIB;
const CATCH_UP_MS = 120_000;
const TOPIC = "fault-run";
const GROUP = "fault-run";

export async function runFaults(options: RunOptions): Promise<RunReport> {
  const { seed, minutes, say } = options;
  const random = new Random(seed);
  const folder = mkdtempSync(join(tmpdir(), `fault-run-${seed}-`));
  await using kafka = await startProxiedBroker(TcpProxy.start);
  using disk = mountSmallDisk(DISK_BYTES);
  if (!disk.isReal) say("no small disk can be mounted here: faults of the disk are LEFT OUT");
  const { producer, consumers, url } = await makeServices(kafka, disk, folder, options.consumers);
  const services = [producer, ...consumers];
  const settings = parseSettings(clientSettings, { KAFKA_BOOTSTRAP_SERVERS: kafka.directServers });
  const config = toClientConfig(settings, "admin");
  let admin: KafkaAdmin | undefined;
  const memory = setInterval(() => {
    for (const service of services) service.sampleMemory();
  }, 500);
  try {
    admin = await createAdmin({ config, timeoutMs: 30_000 });
    await admin.ensureTopic({ topic: TOPIC, partitions: 6, replicationFactor: 1 });
    for (const service of services) service.start();
    for (const service of services) await service.untilReady();

    const ledger = new Ledger(`r${seed}`, options.users);
    const plan = planFaults(
      random.fork(),
      minutes * 60_000,
      disk.isReal ? faults : faults.filter(hurtsNoDisk),
    );
    const stopLoad = startLoad({
      url,
      ledger,
      random: random.fork(),
      life: () => producer.life,
      thinkMs: options.thinkMs,
    });
    await Promise.race([
      carryOut(plan, { kafka, producer, consumer: consumers[0]!, disk }, say),
      whenAborted(options.signal),
    ]);
    say("no more faults: everything has to come right by itself");
    await stopLoad();
    const late = await untilQuiet(producer, admin);
    await Promise.all(services.map((service) => service.terminate()));
    const wasKilled = (life: number) => producer.lives[life]?.end?.how === "killed";
    const found = await audit({
      ledger,
      admin,
      config,
      topic: TOPIC,
      consumerLogs: consumers.map(({ outputFile }) => outputFile),
      wasKilled,
      whySentAgain: causeByLife(producer),
    });
    return toReport(options, plan, ledger, found, producer, consumers, disk, folder, late);
  } finally {
    clearInterval(memory);
    await Promise.all(services.map((service) => service.kill()));
    await admin?.close();
  }
}

async function whenAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(new Error("the run was ended early")));
  });
}

async function makeServices(kafka: ProxiedBroker, disk: SmallDisk, folder: string, consumerCount: number) {
  const port = await freePort();
  mkdirSync(folder, { recursive: true });
  const shared = {
    KAFKA_TOPIC: TOPIC,
    LOG_FORMAT: "json",
    LOG_LEVEL: "info",
    HOST: "127.0.0.1",
    // Everything happens sooner than by default, so that minutes show what hours would.
    KAFKA_SOCKET_TIMEOUT_MS: "4000",
  };
  const producer = new ServiceProcess({
    name: "producer",
    healthPort: port,
    outputFile: join(folder, "producer.log"),
    env: {
      ...shared,
      PORT: String(port),
      KAFKA_BOOTSTRAP_SERVERS: kafka.proxiedServers,
      KAFKA_REQUEST_TIMEOUT_MS: "3000",
      KAFKA_MESSAGE_TIMEOUT_MS: "8000",
      KAFKA_QUEUE_BUFFERING_MAX_MESSAGES: "2000",
      STORED_DEADLINE_MS: "8000",
      DELIVERY_STALL_MS: "5000",
      JOURNAL_DIR: join(disk.path, "journal"),
      JOURNAL_MAX_BYTES: String(8 * MIB),
      JOURNAL_SEGMENT_BYTES: String(256 * 1024),
    },
  });
  const consumers: ServiceProcess[] = [];
  while (consumers.length < consumerCount) {
    const healthPort = await freePort();
    const consumer = new ServiceProcess({
      name: "consumer",
      healthPort,
      outputFile: join(folder, `consumer-${consumers.length}.log`),
      env: {
        ...shared,
        HEALTH_PORT: String(healthPort),
        KAFKA_BOOTSTRAP_SERVERS: kafka.directServers,
        KAFKA_GROUP_ID: GROUP,
        KAFKA_SESSION_TIMEOUT_MS: "6000",
        KAFKA_HEARTBEAT_INTERVAL_MS: "1000",
      },
    });
    consumers.push(consumer);
  }
  return { producer, consumers, url: `http://127.0.0.1:${port}` };
}

/** What a process says of itself when it sends events again, or leaves that to the next. */
const signs: readonly [text: string, cause: Cause][] = [
  ["in-flight events reclaimed", "taken back"],
  ["deliveries failed: retrying", "taken back"],
  ["events left in the journal", "left at a stop"],
];

function causeByLife(producer: ServiceProcess): (life: number) => Cause {
  const known = new Map<number, Cause>();
  const find = (life: number): Cause => {
    if (producer.lives[life]?.end?.how === "killed") return "replayed after a kill";
    const output = producer.outputOf(life);
    return signs.find(([text]) => output.includes(text))?.[1] ?? "unknown";
  };
  return (life) => {
    const cause = known.get(life) ?? find(life);
    known.set(life, cause);
    return cause;
  };
}

function hurtsNoDisk({ target }: { target: readonly string[] }): boolean {
  return !target.includes("disk");
}

/** Waits until nothing is left to deliver or handle. @returns what never came, in words */
async function untilQuiet(producer: ServiceProcess, admin: KafkaAdmin): Promise<string[]> {
  const late: string[] = [];
  const wait = async (what: string, isDone: () => Promise<boolean>) => {
    await until(what, isDone, CATCH_UP_MS).catch((error: Error) => late.push(error.message));
  };
  await wait("the producer to be ready", () => producer.answersReady());
  await wait("the journal to be empty", async () => {
    const [records, flying] = [
      await producer.figure("ingest_journal_records"),
      await producer.figure("ingest_events_in_flight"),
    ];
    return records === 0 && flying === 0;
  });
  await wait("the consumer to have committed everything", async () => {
    const committed = new Map((await admin.groupOffsets(GROUP, TOPIC)).map((p) => [p.partition, p.offset]));
    return (await admin.offsets(TOPIC)).every(
      ({ partition, high }) => high === 0 || committed.get(partition) === high,
    );
  });
  return late;
}

function toReport(
  { seed, minutes }: RunOptions,
  plan: readonly Planned[],
  ledger: Ledger,
  found: Audit,
  producer: ServiceProcess,
  consumers: readonly ServiceProcess[],
  disk: SmallDisk,
  folder: string,
  late: string[],
): RunReport {
  const done: Record<string, number> = {};
  for (const { fault } of plan) done[fault.name] = (done[fault.name] ?? 0) + 1;
  const processOf = (service: ServiceProcess): ProcessReport => ({
    name: service.name,
    lives: service.lives.length,
    accidents: service.accidents.length,
    peakRssMiB: Math.round(service.peakRssBytes / MIB),
  });
  const report: RunReport = {
    seed,
    minutes,
    faults: done,
    answered: ledger.totals(),
    sentAgain: ledger.others,
    audit: found,
    producer: processOf(producer),
    consumers: consumers.map(processOf),
    leftOut: disk.isReal ? [] : faults.filter((fault) => !hurtsNoDisk(fault)).map(({ name }) => name),
    failures: late.map((text) => `${text}: it needed a hand`),
    folder,
  };
  for (const name of ["missing", "missingAccepted", "disorder", "notHandled"] as const)
    if (found[name] > 0) report.failures.push(`${name}: ${found[name]}`);
  const unexplained = found.duplicatesBy.unknown ?? 0;
  if (unexplained > 0) report.failures.push(`duplicates that nothing explains: ${unexplained}`);
  for (const { name, accidents, peakRssMiB } of [report.producer, ...report.consumers]) {
    if (accidents > 0) report.failures.push(`a ${name} ended by itself ${accidents} times`);
    if (peakRssMiB > MEMORY_BUDGET_MIB) report.failures.push(`a ${name} held ${peakRssMiB} MiB`);
  }
  return report;
}
