// The measured topic: made for one turn, counted exactly, removed after it.
import { type ConsumedRecord, createAdmin, type KafkaAdmin, readTopic, toKafkaError } from "@ingest/kafka";
import { Glob } from "bun";

/** Bounds one wait for records: message.timeout.ms of every peer is 30 s, and what is lost shows well before. */
const SETTLE_DEADLINE_MS = 20_000;
const POLL_MS = 20;

/** Admin's and reader's settings: only the address matters, everything else is librdkafka's. */
function clientConfig(bootstrapServers: string): Record<string, unknown> {
  return { "bootstrap.servers": bootstrapServers, "client.id": "peers" };
}

export function openAdmin(bootstrapServers: string): Promise<KafkaAdmin> {
  return createAdmin({ config: clientConfig(bootstrapServers), timeoutMs: 30_000 });
}

export class MeasuredTopic {
  private constructor(
    private readonly admin: KafkaAdmin,
    private readonly bootstrapServers: string,
    readonly name: string,
  ) {}

  static async create(
    admin: KafkaAdmin,
    bootstrapServers: string,
    name: string,
    partitions: number,
  ): Promise<MeasuredTopic> {
    await admin.ensureTopic({ topic: name, partitions, replicationFactor: 1 });
    return new MeasuredTopic(admin, bootstrapServers, name);
  }

  /** Records in the topic: end offsets minus start offsets. */
  async count(): Promise<number> {
    return (await this.admin.offsets(this.name)).reduce((sum, { low, high }) => sum + high - low, 0);
  }

  /**
   * Waits until the topic has `wanted` records.
   * @returns how many it has: less when nothing more came for the deadline, more when something was doubled
   */
  async settle(wanted: number): Promise<number> {
    const deadline = performance.now() + SETTLE_DEADLINE_MS;
    for (;;) {
      const isLate = performance.now() > deadline;
      const found = await this.count().catch((thrown: unknown) => {
        // A topic that was just made may still be looking for its leaders.
        if (isLate || !toKafkaError(thrown).canRetry) throw thrown;
        return -1;
      });
      if (found >= wanted || isLate) return found;
      await Bun.sleep(POLL_MS);
    }
  }

  /** What the topic takes on the broker's disk, compressed as it came, bytes. `logFolder` is the broker's. */
  async storedBytes(logFolder: string): Promise<number> {
    let bytes = 0;
    for await (const file of new Glob(`${this.name}-*/*.log`).scan({ cwd: logFolder, absolute: true })) {
      bytes += Bun.file(file).size;
    }
    return bytes;
  }

  /** Everything in the topic; for the few records of the checks. */
  async readAll(): Promise<ConsumedRecord[]> {
    const records: ConsumedRecord[] = [];
    const config = clientConfig(this.bootstrapServers);
    for await (const batch of readTopic({ config, topic: this.name })) records.push(...batch);
    return records;
  }

  async remove(): Promise<void> {
    await this.admin.deleteTopic(this.name);
  }
}
