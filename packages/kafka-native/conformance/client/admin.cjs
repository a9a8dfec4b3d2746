// needs: broker
const { show, until } = require("../harness/case.cjs");
const {
  kafka,
  bootstrapServers,
  call,
  connectConsumer,
  consumeAll,
  main,
  unique,
} = require("../harness/client.cjs");

main(async () => {
  const topic = unique("admin");
  const group = unique("admin-group");
  const admin = kafka.AdminClient.create({ "bootstrap.servers": bootstrapServers, log_level: 0 });
  await call(
    admin,
    "createTopic",
    { topic, num_partitions: 2, replication_factor: 1, config: { "retention.ms": "3600000" } },
    10_000,
  );
  const refused = await call(
    admin,
    "createTopic",
    { topic, num_partitions: 2, replication_factor: 1 },
    10_000,
  ).catch((error) => error);
  show("created twice", refused.code, refused.message.replace(topic, "T"));
  await call(admin, "createPartitions", topic, 3, 10_000);
  let described;
  // Brokers learn of a new partition some moments after the controller has responded.
  await until(async () => {
    [described] = await call(admin, "describeTopics", [topic], { timeout: 5000 });
    return described.partitions.length === 3;
  });
  show(
    "described",
    described.name === topic,
    described.partitions.map(({ partition }) => partition),
    described.isInternal,
  );
  show("ids", typeof described.topicId.mostSignificantBits, described.topicId.base64.length);
  await until(async () => (await call(admin, "listTopics", { timeout: 5000 })).includes(topic));
  show("listed");

  const producer = new kafka.Producer({ "bootstrap.servers": bootstrapServers, log_level: 0 });
  await call(producer, "connect", {});
  for (let i = 0; i < 10; i++) producer.produce(topic, 0, Buffer.from(String(i)));
  await call(producer, "flush", 10_000);
  const dependent = kafka.AdminClient.createFrom(producer);
  show("dependent", (await call(dependent, "listTopics", { timeout: 5000 })).includes(topic));
  dependent.disconnect();

  const consumer = await connectConsumer(bootstrapServers, { "group.id": group });
  consumer.subscribe([topic]);
  show("consumed", (await consumeAll(consumer, 10)).length);
  consumer.commitSync([{ topic, partition: 0, offset: 7 }]);
  const { groups } = await call(admin, "listGroups", { timeout: 5000 });
  show(
    "group listed",
    groups.some(({ groupId }) => groupId === group),
  );
  const [member] = (await call(admin, "describeGroups", [group], { timeout: 5000 })).groups;
  show(
    "group described",
    member.groupId === group,
    member.members.length,
    member.protocolType,
    member.isSimpleConsumerGroup,
  );
  const [{ partitions }] = await call(admin, "listConsumerGroupOffsets", [{ groupId: group }], {
    timeout: 5000,
  });
  show(
    "offsets",
    partitions.map(({ partition, offset }) => [partition, offset]),
  );
  await call(consumer, "disconnect");

  const offsets = await call(admin, "listOffsets", [{ topic, partition: 0, offset: { timestamp: -1 } }], {
    timeout: 5000,
  }).catch((error) => error.message);
  show(
    "list offsets",
    Array.isArray(offsets) ? offsets.map(({ partition, offset }) => [partition, offset]) : offsets,
  );
  const records = await call(admin, "deleteRecords", [{ topic, partition: 0, offset: 5 }], { timeout: 5000 });
  show(
    "records deleted",
    records.map(({ partition, lowWatermark }) => [partition, lowWatermark]),
  );
  const deleted = await call(admin, "deleteGroups", [group], { timeout: 5000 });
  show(
    "group deleted",
    deleted.map(({ groupId, errorCode }) => [groupId === group, errorCode]),
  );
  await call(admin, "deleteTopic", topic, 10_000);
  const gone = await call(admin, "deleteTopic", unique("never-there"), 10_000).catch((error) => error.code);
  show("deleted", gone);
  admin.disconnect();
  await call(producer, "disconnect");
});
