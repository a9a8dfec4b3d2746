// Many messages through one producer and one consumer, and the process's memory while they pass.
//
//   KAFKA_TEST_BOOTSTRAP_SERVERS=127.0.0.1:9092 bun packages/kafka-native/soak/soak.ts [--messages N]
//
// Each message has a key, a header and an opaque object, and its delivery report carries the value back: all that
// the addon allocates for. Every number is checked on the way. Exits with 1 when one is wrong or missing.
import { readdirSync } from "node:fs";
import { type Command, commandLineOrExit } from "@ingest/cli-flags";
import { type ConfluentClient, loadClient } from "../src/index.ts";

const flags = {
  messages: { kind: "integer", min: 1, default: "10000000", help: "messages to send" },
} as const;
const command: Command<typeof flags> = {
  name: "bun packages/kafka-native/soak/soak.ts",
  about: "Sends messages through one producer and one consumer, and prints the process's memory over time.",
  flags,
  notes: "KAFKA_TEST_BOOTSTRAP_SERVERS names the broker. Exit code 1 when a message is wrong or missing.",
};
const {
  values: { messages },
} = await commandLineOrExit(command, process.argv.slice(2));
const bootstrapServers = process.env.KAFKA_TEST_BOOTSTRAP_SERVERS;
if (!bootstrapServers) throw new Error("KAFKA_TEST_BOOTSTRAP_SERVERS has to name a broker");
const valueBytes = 100;
/** Messages produced ahead of what has been consumed: bounds what may pile up for reasons other than a leak. */
const ahead = 100_000;
const reportEveryMs = 10_000;

const kafka: ConfluentClient = loadClient();
const topic = `soak-${process.pid}-${Date.now().toString(36)}`;
const common = { "bootstrap.servers": bootstrapServers, log_level: 0 };

/** The callback API as promises; its types differ too much between methods to say more here. */
function call(target: object, method: string, ...args: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const callable = (target as Record<string, (...all: unknown[]) => void>)[method]!;
    callable.call(target, ...args, (error: unknown, result: unknown) =>
      error ? reject(error) : resolve(result),
    );
  });
}

const counts = { produced: 0, reported: 0, consumed: 0, wrong: 0 };
const samples: { consumed: number; rssMb: number }[] = [];
const started = performance.now();

function sample(): void {
  const rssMb = process.memoryUsage().rss / 1e6;
  samples.push({ consumed: counts.consumed, rssMb });
  const threads = process.platform === "linux" ? readdirSync("/proc/self/task").length : "?";
  console.log(
    `${((performance.now() - started) / 1000).toFixed(0)} s  produced ${counts.produced}  reported ${counts.reported}  ` +
      `consumed ${counts.consumed}  wrong ${counts.wrong}  RSS ${rssMb.toFixed(0)} MB  threads ${threads}`,
  );
}

const admin = kafka.AdminClient.create(common);
// Old segments may be deleted: the broker's disk needn't hold all messages.
const config = { "retention.bytes": "268435456", "segment.bytes": "67108864" };
await call(admin, "createTopic", { topic, num_partitions: 1, replication_factor: 1, config }, 10_000);

const producer = new kafka.Producer({
  ...common,
  dr_msg_cb: true,
  "linger.ms": 5,
  "compression.type": "lz4",
});
producer.on("delivery-report", (error, { opaque, value }) => {
  counts.reported++;
  if (error || !value || opaque.sequence !== (value as Buffer).readUInt32LE(0)) counts.wrong++;
});
await call(producer, "connect", {});
producer.setPollInBackground(true);

const consumer = new kafka.KafkaConsumer(
  { ...common, "group.id": topic, "enable.auto.commit": false, "queued.max.messages.kbytes": 16_384 },
  { "auto.offset.reset": "earliest" },
);
await call(consumer, "connect", {});
consumer.subscribe([topic]);
consumer.setDefaultConsumeTimeout(500);

async function consumeAll(): Promise<void> {
  while (counts.consumed < messages) {
    const batch = (await call(consumer, "consume", 1000).catch(() => [])) as { value: Buffer; key: Buffer }[];
    for (const { value, key } of batch) {
      const sequence = value.readUInt32LE(0);
      if (sequence !== counts.consumed || key.toString() !== `key ${sequence % 1000}`) counts.wrong++;
      counts.consumed++;
    }
  }
}

async function produceAll(): Promise<void> {
  while (counts.produced < messages) {
    const end = Math.min(messages, counts.produced + 500, counts.consumed + ahead);
    try {
      while (counts.produced < end) {
        const sequence = counts.produced;
        const value = Buffer.alloc(valueBytes);
        value.writeUInt32LE(sequence);
        producer.produce(topic, 0, value, `key ${sequence % 1000}`, Date.now(), { sequence }, [{ h: "x" }]);
        counts.produced++;
      }
    } catch {
      await Bun.sleep(5); // The queue is full.
    }
    await new Promise<void>((resolve) =>
      counts.produced - counts.consumed >= ahead ? setTimeout(resolve, 2) : setImmediate(resolve),
    );
  }
  await call(producer, "flush", 60_000);
}

const timer = setInterval(sample, reportEveryMs);
await Promise.all([produceAll(), consumeAll()]);
while (counts.reported < messages) await Bun.sleep(10);
clearInterval(timer);
sample();

const warm = samples.find(({ consumed }) => consumed >= messages / 10)?.rssMb ?? Number.NaN;
const after = samples.filter(({ consumed }) => consumed >= messages / 10).map(({ rssMb }) => rssMb);
console.log(
  `${messages} messages: RSS ${warm.toFixed(0)} MB after the first tenth, ${after.at(-1)?.toFixed(0)} MB at the end, ` +
    `at most ${Math.max(...after).toFixed(0)} MB in between; wrong ${counts.wrong}`,
);
await call(consumer, "disconnect");
await call(producer, "disconnect");
await call(admin, "deleteTopic", topic, 10_000).catch(() => {});
admin.disconnect();
process.exitCode = counts.wrong === 0 ? 0 : 1;
