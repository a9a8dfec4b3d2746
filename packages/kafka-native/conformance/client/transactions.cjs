// needs: broker
const { show } = require("../harness/case.cjs");
const {
  kafka,
  bootstrapServers,
  call,
  connectConsumer,
  consumeAll,
  createTopic,
  main,
  unique,
} = require("../harness/client.cjs");

main(async () => {
  const topic = unique("transactions");
  const group = unique("transactions-group");
  await createTopic(topic);
  const producer = new kafka.Producer({
    "bootstrap.servers": bootstrapServers,
    "transactional.id": unique("transactional"),
    log_level: 0,
  });
  await call(producer, "connect", {});
  await call(producer, "initTransactions", 20_000);
  const consumer = await connectConsumer(bootstrapServers, {
    "group.id": group,
    "isolation.level": "read_committed",
  });
  consumer.subscribe([topic]);

  await call(producer, "beginTransaction");
  for (const value of ["a", "b"]) producer.produce(topic, 0, Buffer.from(value));
  await call(producer, "commitTransaction", 20_000);
  const first = await consumeAll(consumer, 2);
  show(
    "committed",
    first.map(({ value }) => value.toString()),
  );

  await call(producer, "beginTransaction");
  producer.produce(topic, 0, Buffer.from("aborted"));
  await call(producer, "abortTransaction", 20_000);

  await call(producer, "beginTransaction");
  producer.produce(topic, 0, Buffer.from("c"));
  await call(producer, "sendOffsetsToTransaction", [{ topic, partition: 0, offset: 2 }], consumer, 20_000);
  await call(producer, "commitTransaction", 20_000);
  show(
    "aborted one not seen",
    (await consumeAll(consumer, 1)).map(({ value }) => value.toString()),
  );
  const committed = await call(consumer, "committed", null, 5000);
  show(
    "offsets of the transaction",
    committed.map(({ partition, offset }) => [partition, offset]),
  );

  const error = await call(producer, "commitTransaction", 5000).catch((failure) => failure);
  show(
    "commit without a transaction",
    error.code,
    error.isFatal,
    error.isRetriable,
    error.isTxnRequiresAbort,
  );
  await call(consumer, "disconnect");
  await call(producer, "disconnect");
});
