// needs: broker
const { show } = require("../harness/case.cjs");
const { kafka, bootstrapServers, main, unique } = require("../harness/client.cjs");

main(async () => {
  const topic = unique("kafkajs");
  const groupId = unique("kafkajs-group");
  const logger = { info() {}, error() {}, warn() {}, debug() {}, namespace: () => logger, setLogLevel() {} };
  const client = new kafka.KafkaJS.Kafka({ kafkaJS: { brokers: [bootstrapServers], logger } });
  const admin = client.admin();
  await admin.connect();
  show("created", await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] }));
  show("listed", (await admin.listTopics()).includes(topic));

  const producer = client.producer({ kafkaJS: { acks: -1 } });
  await producer.connect();
  const messages = Array.from({ length: 100 }, (_, i) => ({
    key: `key ${i}`,
    value: `value ${i}`,
    partition: i % 2,
    headers: { text: "a", bytes: Buffer.from([i]), list: ["x", "y"] },
    timestamp: String(1700000000000 + i),
  }));
  const sent = await producer.send({ topic, messages });
  show("sent", sent.map(({ partition, errorCode }) => [partition, errorCode]).sort());
  await producer.sendBatch({
    topicMessages: [
      {
        topic,
        messages: [
          { value: "batch", partition: 0 },
          { value: null, key: "null", partition: 0 },
        ],
      },
    ],
  });

  const consumer = client.consumer({ kafkaJS: { groupId, fromBeginning: true, autoCommit: false } });
  await consumer.connect();
  await consumer.subscribe({ topic });
  const seen = [];
  await new Promise((resolve, reject) => {
    const eachMessage = async ({ partition, message }) => {
      if (seen.push({ partition, message }) === 102) resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  seen.sort((a, b) => a.partition - b.partition || Number(a.message.offset) - Number(b.message.offset));
  for (const { partition, message } of seen.filter((_, i) => i % 25 === 0 || i === 51)) {
    show(
      partition,
      message.offset,
      message.key?.toString(),
      message.value?.toString(),
      message.headers,
      typeof message.timestamp,
    );
  }
  await consumer.commitOffsets([
    { topic, partition: 0, offset: "52" },
    { topic, partition: 1, offset: "50" },
  ]);
  show("committed", (await consumer.committed()).map(({ partition, offset }) => [partition, offset]).sort());
  consumer.pause([{ topic, partitions: [0] }]);
  show(
    "paused",
    consumer.paused().map((one) => one.partitions),
  );
  consumer.resume([{ topic, partitions: [0] }]);
  await consumer.disconnect();

  const batches = client.consumer({
    kafkaJS: { groupId: unique("batches"), fromBeginning: true, autoCommit: true },
  });
  await batches.connect();
  await batches.subscribe({ topic });
  let inBatches = 0;
  await new Promise((resolve, reject) => {
    const eachBatch = async ({ batch, resolveOffset, heartbeat }) => {
      for (const { offset } of batch.messages) {
        resolveOffset(offset);
        inBatches++;
      }
      await heartbeat();
      if (inBatches === 102) resolve();
    };
    batches.run({ partitionsConsumedConcurrently: 2, eachBatch }).catch(reject);
  });
  show("in batches", inBatches);
  await batches.disconnect();

  const transactional = client.producer({
    kafkaJS: { transactionalId: unique("tx"), idempotent: true, maxInFlightRequests: 1 },
  });
  await transactional.connect();
  const committed = await transactional.transaction();
  await committed.send({ topic, messages: [{ value: "in a transaction", partition: 0 }] });
  await committed.commit();
  const aborted = await transactional.transaction();
  await aborted.send({ topic, messages: [{ value: "aborted", partition: 0 }] });
  await aborted.abort();
  await transactional.disconnect();

  const offsets = await admin.fetchTopicOffsets(topic);
  show(
    "offsets",
    offsets.map(({ partition, low }) => [partition, low]),
  );
  const [group] = await admin.fetchOffsets({ groupId, topics: [topic] });
  show("group's offsets", group.partitions.map(({ partition, offset }) => [partition, offset]).sort());
  show(
    "group",
    (await admin.describeGroups([groupId])).groups.map((one) => [
      one.groupId === groupId,
      one.members.length,
    ]),
  );
  await admin.deleteTopics({ topics: [topic] });
  show("error", await producer.send({ topic: "", messages: [{ value: "x" }] }).catch((error) => error.name));
  await producer.disconnect();
  await admin.disconnect();
});
