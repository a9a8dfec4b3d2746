// For the consumer's tests: the service as a process whose lines can be looked at, topics of a test's own, and events.
import { join } from "node:path";
import {
  type ClientConfig,
  type ConsumedRecord,
  createAdmin,
  createProducer,
  type KafkaAdmin,
  type ProducerRecord,
  producerSettings,
  readTopic,
  toClientConfig,
} from "@ingest/kafka";
import { parseSettings } from "@ingest/service";
import { until } from "@ingest/testkit";
import type { Subprocess } from "bun";

const root = join(import.meta.dir, "../..");

/** A line of the consumer's. */
export interface LogLine {
  level: string;
  message: string;
  topic?: string;
  partition?: number;
  offset?: number;
  key?: string | null;
  event_id?: string;
  [field: string]: unknown;
}

export class ConsumerProcess {
  readonly lines: LogLine[] = [];
  /** What was no JSON line; there should be none. */
  readonly garbled: string[] = [];
  readonly #child: Subprocess<"ignore", "pipe", "pipe">;
  #errors = "";
  #reading: Promise<unknown>;

  constructor(env: Record<string, string>, program = "services/consumer/src/main.ts", args: string[] = []) {
    this.#child = Bun.spawn([process.execPath, join(root, program), ...args], {
      cwd: root,
      env: { ...process.env, HEALTH_PORT: "0", HOST: "127.0.0.1", ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    this.#reading = Promise.all([this.#readLines(), this.#readErrors()]);
  }

  get pid(): number {
    return this.#child.pid;
  }

  get errors(): string {
    return this.#errors;
  }

  get events(): LogLine[] {
    return this.lines.filter(({ message }) => message === "event");
  }

  has(message: string): boolean {
    return this.lines.some((line) => line.message === message);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves with the exit code (null: by a signal) once all of its output has been read. */
  async exited(): Promise<number | null> {
    await this.#child.exited;
    await this.#reading;
    return this.#child.exitCode;
  }

  /** SIGTERM, and its exit code. */
  stop(): Promise<number | null> {
    this.signal("SIGTERM");
    return this.exited();
  }

  async untilWaiting(): Promise<void> {
    await until("connected and waiting", () => this.has("connected and waiting for messages"), 60_000);
  }

  async get(path: string): Promise<Response> {
    await until("the health server", () => this.has("health server listening"));
    const port = this.lines.find(({ message }) => message === "health server listening")?.port;
    return fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(5_000) });
  }

  /** A figure of /metrics, summed over its labels. */
  async figure(name: string): Promise<number> {
    const text = await (await this.get("/metrics")).text();
    const lines = text
      .split("\n")
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  }

  async #readLines(): Promise<void> {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stdout) {
      const texts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = texts.pop()!;
      for (const text of texts) this.#take(text);
    }
    if (rest !== "") this.garbled.push(rest);
  }

  #take(text: string): void {
    try {
      this.lines.push(JSON.parse(text));
    } catch {
      this.garbled.push(text);
    }
  }

  async #readErrors(): Promise<void> {
    this.#errors = await new Response(this.#child.stderr).text();
  }
}

/** One broker as a test uses it: topics, records, and consumers that end with the test. */
export class ConsumerTest {
  readonly env: Record<string, string>;
  readonly #topics: string[] = [];
  readonly #processes: ConsumerProcess[] = [];

  private constructor(
    bootstrapServers: string,
    readonly admin: KafkaAdmin,
  ) {
    this.env = { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers };
  }

  static async connect(bootstrapServers: string): Promise<ConsumerTest> {
    const config = { "bootstrap.servers": bootstrapServers };
    return new ConsumerTest(bootstrapServers, await createAdmin({ config, timeoutMs: 20_000 }));
  }

  config(): ClientConfig {
    return toClientConfig(parseSettings(producerSettings, this.env), "producer");
  }

  /** A new topic, and the environment of consumers of it in a group of their own. */
  async topic(partitions: number): Promise<{ topic: string; env: Record<string, string> }> {
    const topic = `consumer-${crypto.randomUUID()}`;
    // A test's records may be as old as it likes; the broker deletes by their timestamps.
    const config = { "retention.ms": "-1" };
    await this.admin.ensureTopic({ topic, partitions, replicationFactor: 1, config });
    this.#topics.push(topic, `${topic}.dead-letter`);
    return { topic, env: { ...this.env, KAFKA_TOPIC: topic, KAFKA_GROUP_ID: `group-${topic}` } };
  }

  start(env: Record<string, string>): ConsumerProcess {
    const started = new ConsumerProcess(env);
    this.#processes.push(started);
    return started;
  }

  replay(env: Record<string, string>, args: string[]): ConsumerProcess {
    const started = new ConsumerProcess(env, "services/consumer/src/replay.ts", args);
    this.#processes.push(started);
    return started;
  }

  async write(records: ProducerRecord[]): Promise<void> {
    let failed: Error | undefined;
    const producer = createProducer({
      config: this.config(),
      onOutcome(error) {
        if (error) failed = error;
      },
    });
    await producer.connect(20_000);
    for (const record of records) while (producer.produce(record) === "full") await Bun.sleep(1);
    await producer.close(30_000);
    if (failed) throw failed;
  }

  async read(topic: string): Promise<ConsumedRecord[]> {
    const records: ConsumedRecord[] = [];
    for await (const batch of readTopic({ config: this.config(), topic })) records.push(...batch);
    return records;
  }

  /** Sum over the partitions of what the group has committed. */
  async committed(env: Record<string, string>): Promise<number> {
    const offsets = await this.admin.groupOffsets(env.KAFKA_GROUP_ID!, env.KAFKA_TOPIC!);
    return offsets.reduce((sum, { offset }) => sum + offset, 0);
  }

  /** Ends what a test has left running. */
  async endProcesses(): Promise<void> {
    for (const process of this.#processes.splice(0)) {
      process.signal("SIGKILL");
      await process.exited();
    }
  }

  async close(): Promise<void> {
    await this.endProcesses();
    for (const topic of this.#topics) await this.admin.deleteTopic(topic).catch(() => undefined);
    await this.admin.close();
  }
}

/** An event's record, as the API writes it. */
export function eventRecord(
  topic: string,
  number: number,
  { users = 20, id = `e${number}` } = {},
): ProducerRecord {
  const user = `user-${number % users}`;
  const value = {
    event_id: id,
    timestamp: Date.now(),
    event_type: "test",
    user_id: user,
    payload: { number },
  };
  return { topic, key: user, value: Buffer.from(JSON.stringify(value)) };
}

export function eventRecords(topic: string, count: number, from = 0): ProducerRecord[] {
  return Array.from({ length: count }, (_, i) => eventRecord(topic, from + i));
}

/** Names each id that is missing among those of e0 … e<count-1>. */
export function missingOf(events: readonly LogLine[], count: number): string[] {
  const ids = new Set(events.map(({ event_id }) => event_id));
  return Array.from({ length: count }, (_, i) => `e${i}`).filter((id) => !ids.has(id));
}

/** Names each key whose events came out of order, looking at the first time of each event. */
export function outOfOrder(events: readonly LogLine[]): string[] {
  const last = new Map<string, number>();
  const seen = new Set<string>();
  const wrong: string[] = [];
  for (const { key, event_id, payload } of events) {
    if (seen.has(event_id!)) continue;
    seen.add(event_id!);
    const { number } = payload as { number: number };
    if (number < (last.get(key!) ?? -1)) wrong.push(`${key}: ${number} after ${last.get(key!)}`);
    last.set(key!, number);
  }
  return wrong;
}
