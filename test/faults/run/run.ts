// A fault run: Kafka behind a proxy, both services as processes, callers that request every durability, faults planned
// by a seed, then an audit.
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@ingest/broker";
import { mountSmallDisk, Random, until } from "@ingest/testkit";
import { KafkaFixture, type ProxiedCluster, startProxiedCluster } from "@ingest/testkit/kafka";
import { audit, type DuplicateCause } from "./audit.ts";
import { faultsOf } from "./faults.ts";
import { Ledger } from "./ledger.ts";
import { startLoad } from "./load.ts";
import { injectFaults, planFaults } from "./plan.ts";
import { type RunReport, toReport } from "./report.ts";
import { RestartableService } from "./restartable-service.ts";

export interface RunOptions {
  seed: number;
  /** How long faults are injected, minutes. */
  minutes: number;
  /** Concurrent callers, each one user. */
  users: number;
  /** A caller's longest pause between two requests, ms. */
  thinkMs: number;
  /** Members of the consumer group. Faults disturb the first; the others take over its partitions. */
  consumers: number;
  /** Brokers of the cluster. Some faults need several. */
  brokers: number;
  /** Receives the run's progress, a line at a time. */
  report(text: string): void;
  /** Ends the run early, with everything that it started. */
  signal?: AbortSignal;
}

const MIB = 1024 * 1024;
const DISK_BYTES = 24 * MIB;
const REPLICATION_FACTOR = 3;
const RECOVERY_DEADLINE_MS = 120_000;
const MEMORY_SAMPLE_MS = 500;
const TOPIC = "fault-run";
const GROUP = "fault-run";

/** The run's folder stays, for its logs; `report.folder` names it. */
export async function runFaults(options: RunOptions): Promise<RunReport> {
  const { seed, minutes, report } = options;
  const random = new Random(seed);
  const folder = mkdtempSync(join(tmpdir(), `fault-run-${seed}-`));
  await using resources = new AsyncDisposableStack();
  const kafka = resources.use(await startProxiedCluster(options.brokers));
  const disk = resources.use(mountSmallDisk(DISK_BYTES));
  if (!disk.isMounted)
    report("SKIPPED: faults of the journal's disk, since no small file system can be mounted");
  const cluster = resources.use(await KafkaFixture.connect(kafka.directServers));
  await cluster.admin.ensureTopic({
    topic: TOPIC,
    partitions: 6,
    replicationFactor: Math.min(REPLICATION_FACTOR, options.brokers),
  });

  const producer = resources.use(await createProducer(kafka, join(disk.path, "journal"), folder));
  const consumers: RestartableService[] = [];
  for (let index = 0; index < options.consumers; index++)
    consumers.push(resources.use(await createConsumer(kafka, index, folder)));
  const services = [producer, ...consumers];
  const sampling = setInterval(() => {
    for (const service of services) service.sampleMemory();
  }, MEMORY_SAMPLE_MS);
  resources.defer(() => clearInterval(sampling));
  for (const service of services) service.start();
  for (const service of services) await service.untilReady();

  const ledger = new Ledger(`r${seed}`, options.users);
  const [candidates, skipped] = partition(
    faultsOf(options.brokers),
    (fault) => disk.isMounted || !fault.components.includes("disk"),
  );
  const plan = planFaults(random.fork(), minutes * 60_000, candidates, options.brokers);
  const stopLoad = startLoad({
    url: `http://127.0.0.1:${producer.port}`,
    ledger,
    random: random.fork(),
    processIndex: () => producer.processIndex,
    thinkMs: options.thinkMs,
  });
  const system = { kafka, topic: TOPIC, producer, consumer: consumers[0]!, disk };
  await Promise.race([injectFaults(plan, system, report), whenAborted(options.signal)]);
  report("no more faults: waiting for recovery");
  await stopLoad();
  const unrecovered = await untilRecovered(producer, cluster);
  await Promise.all(services.map((service) => service.terminate()));
  const result = await audit({
    ledger,
    admin: cluster.admin,
    config: cluster.config(),
    topic: TOPIC,
    consumerLogs: consumers.map(({ outputFile }) => outputFile),
    wasKilled: (index) => wasKilled(producer, index),
    causeOfDuplicates: causeByProcess(producer),
  });
  return toReport({
    seed,
    minutes,
    brokers: options.brokers,
    plan,
    skippedFaults: skipped.map(({ name }) => name),
    ledger,
    audit: result,
    producer,
    consumers,
    folder,
    unrecovered,
  });
}

async function whenAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => reject(new Error("the run was interrupted")));
  });
}

const sharedEnv = {
  KAFKA_TOPIC: TOPIC,
  LOG_FORMAT: "json",
  LOG_LEVEL: "info",
  // Time-outs are shorter than by default, so that minutes show what takes hours otherwise.
  KAFKA_SOCKET_TIMEOUT_MS: "4000",
};

async function createProducer(kafka: ProxiedCluster, journalDir: string, folder: string) {
  const port = await freePort();
  return new RestartableService({
    name: "producer",
    port,
    outputFile: join(folder, "producer.log"),
    env: {
      ...sharedEnv,
      PORT: String(port),
      KAFKA_BOOTSTRAP_SERVERS: kafka.proxiedServers,
      KAFKA_REQUEST_TIMEOUT_MS: "3000",
      KAFKA_MESSAGE_TIMEOUT_MS: "8000",
      KAFKA_QUEUE_BUFFERING_MAX_MESSAGES: "2000",
      // No load balancer has to notice that it stops.
      SHUTDOWN_DELAY_MS: "0",
      STORED_DEADLINE_MS: "8000",
      DELIVERY_STALL_MS: "5000",
      JOURNAL_DIR: journalDir,
      JOURNAL_MAX_BYTES: String(8 * MIB),
      JOURNAL_SEGMENT_BYTES: String(256 * 1024),
    },
  });
}

async function createConsumer(kafka: ProxiedCluster, index: number, folder: string) {
  const port = await freePort();
  return new RestartableService({
    name: "consumer",
    port,
    outputFile: join(folder, `consumer-${index}.log`),
    env: {
      ...sharedEnv,
      HEALTH_PORT: String(port),
      KAFKA_BOOTSTRAP_SERVERS: kafka.directServers,
      KAFKA_GROUP_ID: GROUP,
      KAFKA_SESSION_TIMEOUT_MS: "6000",
      KAFKA_HEARTBEAT_INTERVAL_MS: "1000",
    },
  });
}

/** Log messages of a producer that sends events again, or leaves that to the next process. */
const duplicateSigns: readonly [message: string, cause: DuplicateCause][] = [
  ["in-flight events reclaimed", "resent by the producer"],
  ["deliveries failed: retrying", "resent by the producer"],
  ["events left in the journal", "journalled at shutdown"],
];

function wasKilled(producer: RestartableService, processIndex: number): boolean {
  return producer.processes[processIndex]?.exit?.cause === "killed";
}

function causeByProcess(producer: RestartableService): (processIndex: number) => DuplicateCause {
  const causes = new Map<number, DuplicateCause>();
  const find = (processIndex: number): DuplicateCause => {
    if (wasKilled(producer, processIndex)) return "replayed after a kill";
    const output = producer.outputOf(processIndex);
    return duplicateSigns.find(([message]) => output.includes(message))?.[1] ?? "unknown";
  };
  return (processIndex) => {
    const cause = causes.get(processIndex) ?? find(processIndex);
    causes.set(processIndex, cause);
    return cause;
  };
}

/** Waits until nothing is left to deliver or to handle. @returns what did not happen before the deadline, in words */
async function untilRecovered(producer: RestartableService, cluster: KafkaFixture): Promise<string[]> {
  const failures: string[] = [];
  const wait = async (what: string, condition: () => Promise<boolean>) => {
    await until(what, condition, RECOVERY_DEADLINE_MS).catch((error: Error) => failures.push(error.message));
  };
  await wait("the producer to be ready", () => producer.isReady());
  await wait("an empty journal and no event in flight", async () => {
    const journalled = await producer.metric("ingest_journal_records");
    return journalled === 0 && (await producer.metric("ingest_events_in_flight")) === 0;
  });
  await wait("the consumers to have committed everything", async () => {
    const committed = await cluster.admin.groupOffsets(GROUP, TOPIC);
    const offsetOf = new Map(committed.map(({ partition, offset }) => [partition, offset]));
    const ends = await cluster.admin.offsets(TOPIC);
    return ends.every(({ partition, high }) => high === 0 || offsetOf.get(partition) === high);
  });
  return failures;
}

function partition<T>(items: readonly T[], isFirst: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isFirst), items.filter((item) => !isFirst(item))];
}
