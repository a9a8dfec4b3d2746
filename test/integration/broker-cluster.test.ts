// Several brokers and their controller, under the faults that tests inject into them.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { brokerResponds, type Cluster, canStartBroker, startCluster } from "@ingest/broker";
import { temporaryFolder, until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";

const minute = 60_000;

describe.skipIf(!canStartBroker())("a cluster of three brokers", () => {
  let cluster: Cluster;
  let kafka: KafkaFixture;
  beforeAll(async () => {
    cluster = await startCluster({ brokers: 3 });
    kafka = await KafkaFixture.connect(cluster.bootstrapServers, { replicationFactor: 3 });
  }, 5 * minute);
  afterAll(async () => {
    await kafka[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  }, minute);

  const leadersOf = async (topic: string) =>
    (await cluster.describeTopic(topic)).map(({ leader }) => leader - 1);
  const untilInSync = (topic: string, replicas: number) =>
    until(`${replicas} replicas in sync`, async () =>
      (await cluster.describeTopic(topic)).every(({ inSyncReplicas }) => inSyncReplicas.length === replicas),
    );

  test("has a port for each broker, and replicates topics to all of them", async () => {
    expect(cluster.bootstrapServers.split(",")).toEqual(
      cluster.brokers.map(({ port }) => `127.0.0.1:${port}`),
    );
    const topic = await kafka.createTopic(2);
    await untilInSync(topic, 3);
    await kafka.write([{ topic, value: "a", key: null }]);
    expect(await kafka.countRecords(topic)).toBe(1);
  });

  test(
    "moves leaders to the requested brokers",
    async () => {
      const topic = await kafka.createTopic(6);
      for (const leaderOf of [(id: number) => id % 3, (id: number) => (id === 5 ? 2 : id % 2), () => 1]) {
        await cluster.moveLeaders(topic, leaderOf);
        expect(await leadersOf(topic)).toEqual([0, 1, 2, 3, 4, 5].map(leaderOf));
      }
    },
    minute,
  );

  test("sets a topic's settings, and names one that Kafka refuses", async () => {
    const topic = await kafka.createTopic(1);
    const isTaken = () =>
      kafka.write([{ topic, value: "x".repeat(1_000), key: null }], { KAFKA_COMPRESSION_TYPE: "none" }).then(
        () => true,
        () => false,
      );
    await cluster.setTopicConfig(topic, { "max.message.bytes": "500" });
    await until("the setting to apply", async () => !(await isTaken()));
    await cluster.setTopicConfig(topic, { "max.message.bytes": null });
    await until("the default to apply", isTaken);
    await expect(cluster.setTopicConfig(topic, { "max.message.bytes": "many" })).rejects.toThrow(
      "max.message.bytes",
    );
  });

  test(
    "continues with two brokers, refuses acks=all with one, and is complete again after restarts",
    async () => {
      const topic = await kafka.createTopic(3);
      const [first, second, third] = cluster.brokers as [
        Cluster["brokers"][0],
        Cluster["brokers"][0],
        Cluster["brokers"][0],
      ];
      const write = () =>
        kafka.write([{ topic, value: "a", key: null }], { KAFKA_MESSAGE_TIMEOUT_MS: "3000" });
      await first.kill();
      await untilInSync(topic, 2);
      await kafka.write([{ topic, value: "a", key: null }]);
      second.pause();
      await until("one replica in sync", async () =>
        (await cluster.describeTopic(topic)).every(({ inSyncReplicas }) => inSyncReplicas.length === 1),
      );
      expect(write()).rejects.toThrow();
      await write().catch(() => undefined);
      second.resume();
      await first.restart();
      await untilInSync(topic, 3);
      await write();
      expect(await brokerResponds(third.port)).toBe(true);
    },
    2 * minute,
  );

  test(
    "serves records while its controller is away, and elects leaders once it is back",
    async () => {
      const topic = await kafka.createTopic(3);
      await cluster.moveLeaders(topic, (id) => id);
      await cluster.controller.kill();
      await kafka.write([{ topic, value: "a", key: null }]);
      await cluster.controller.restart();
      await cluster.moveLeaders(topic, () => 0);
      expect(await leadersOf(topic)).toEqual([0, 0, 0]);
    },
    2 * minute,
  );
});

test.if(canStartBroker())(
  "keeps a data folder that it was given, and leaves no process behind",
  async () => {
    using temporary = temporaryFolder("cluster-test");
    const options = { brokers: 2, dataDir: temporary.path };
    let pids: number[];
    {
      await using cluster = await startCluster(options);
      pids = [cluster.controller, ...cluster.brokers].map(({ pid }) => pid);
      await using kafka = await KafkaFixture.connect(cluster.bootstrapServers, { replicationFactor: 2 });
      await kafka.admin.ensureTopic({ topic: "kept", partitions: 1, replicationFactor: 2 });
      await kafka.write([{ topic: "kept", value: "a", key: null }]);
    }
    for (const pid of pids) expect(existsSync(`/proc/${pid}`)).toBe(false);
    await using again = await startCluster(options);
    await using kafka = await KafkaFixture.connect(again.bootstrapServers);
    // A leader that has just been elected does not know its high watermark yet.
    await until("the record", async () => (await kafka.countRecords("kept")) === 1);
  },
  3 * minute,
);

test.if(canStartBroker())(
  "a broker that cannot start ends the others, and its reason is reported",
  async () => {
    const starting = startCluster({
      brokers: 2,
      propertiesOf: (index) => (index === 1 ? { "num.io.threads": "none" } : {}),
    });
    await expect(starting).rejects.toThrow("num.io.threads");
    expect(childJvms()).toEqual([]);
  },
  minute,
);

/** The process ids of this process's Java children. */
function childJvms(): number[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${Number(pid)}/stat`, "utf8");
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      return parent === process.pid && stat.includes("(java)") ? [Number(pid)] : [];
    } catch {
      return []; // Not a process, or it has exited meanwhile.
    }
  });
}
