// A topic that exists for one measurement: created, counted exactly, deleted.
import { type ConsumedRecord, createAdmin, type KafkaAdmin, readTopic, toKafkaError } from "@ingest/kafka";
import { Glob } from "bun";

/** Longest wait for records. Lost records show long before the 30 s of every server's message.timeout.ms. */
const SETTLE_DEADLINE_MS = 20_000;
const POLL_MS = 20;

/** librdkafka's defaults, for the admin client and the reader. */
function clientConfig(bootstrapServers: string): Record<string, unknown> {
  return { "bootstrap.servers": bootstrapServers, "client.id": "benchmarks" };
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

  /** Records in the topic: the sum of its end offsets less its start offsets. */
  async count(): Promise<number> {
    return (await this.admin.offsets(this.name)).reduce((sum, { low, high }) => sum + high - low, 0);
  }

  /**
   * Waits until the topic has `expected` records.
   * @returns how many it has: fewer when the deadline passed, more when some were duplicated
   */
  async settle(expected: number): Promise<number> {
    const deadline = performance.now() + SETTLE_DEADLINE_MS;
    for (;;) {
      const isOverdue = performance.now() > deadline;
      const found = await this.count().catch((thrown: unknown) => {
        // A topic that was just created may not have its leaders yet.
        if (isOverdue || !toKafkaError(thrown).canRetry) throw thrown;
        return -1;
      });
      if (found >= expected || isOverdue) return found;
      await Bun.sleep(POLL_MS);
    }
  }

  /** Bytes of the topic's log segments on the broker's disk, compressed. `logFolder` is the broker's log.dirs. */
  async storedBytes(logFolder: string): Promise<number> {
    let bytes = 0;
    for await (const file of new Glob(`${this.name}-*/*.log`).scan({ cwd: logFolder, absolute: true })) {
      bytes += Bun.file(file).size;
    }
    return bytes;
  }

  /** All records of the topic, in memory. */
  async readAll(): Promise<ConsumedRecord[]> {
    const records: ConsumedRecord[] = [];
    const config = clientConfig(this.bootstrapServers);
    for await (const batch of readTopic({ config, topic: this.name })) records.push(...batch);
    return records;
  }

  async delete(): Promise<void> {
    await this.admin.deleteTopic(this.name);
  }
}
