// Flow mode, where a thread pushes messages, and the stream API.
const { show, until } = require("../harness/case.cjs");
const {
  kafka,
  call,
  connectConsumer,
  consumeAll,
  main,
  mockCluster,
  unique,
} = require("../harness/client.cjs");

main(async () => {
  const { producer, brokers } = await mockCluster();
  for (let i = 0; i < 1000; i++) producer.produce("t", 0, Buffer.from(String(i)));
  await call(producer, "flush", 10_000);

  const consumer = await connectConsumer(brokers);
  const values = [];
  consumer.on("data", ({ value }) => values.push(Number(value)));
  consumer.subscribe(["t"]);
  consumer.consume();
  await until(() => values.length === 1000);
  show(
    "flowed in order",
    values.every((value, i) => value === i),
  );
  await call(consumer, "disconnect");

  const stream = kafka.KafkaConsumer.createReadStream(
    { "bootstrap.servers": brokers, "group.id": unique("group"), log_level: 0 },
    { "auto.offset.reset": "earliest" },
    { topics: ["t"], waitInterval: 0, fetchSize: 100 },
  );
  let isClosing = false;
  // A read in progress when the stream closes reports that the consumer is disconnected.
  stream.on("error", (error) => {
    if (!isClosing) throw error;
  });
  let read = 0;
  await new Promise((resolve) =>
    stream.on("data", () => {
      if (++read === 1000) resolve();
    }),
  );
  show("read from a stream", read);
  isClosing = true;
  await new Promise((resolve) => stream.close(resolve));

  // The mock cluster makes a topic when asked about it.
  await call(producer, "getMetadata", { topic: "written", timeout: 5000 });
  const written = kafka.Producer.createWriteStream(
    { "bootstrap.servers": brokers, log_level: 0, "linger.ms": 1 },
    {},
    { topic: "written" },
  );
  for (let i = 0; i < 100; i++) written.write(Buffer.from(`w${i}`));
  const reader = await connectConsumer(brokers);
  reader.subscribe(["written"]);
  show(
    "written to a stream",
    new Set((await consumeAll(reader, 100)).map(({ value }) => value.toString())).size,
  );
  await call(reader, "disconnect");
  await new Promise((resolve) => written.close(resolve));
  await call(producer, "disconnect");
});
