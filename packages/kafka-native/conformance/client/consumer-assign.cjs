const { show } = require("../harness/case.cjs");
const { call, connectConsumer, consumeAll, main, mockCluster } = require("../harness/client.cjs");

main(async () => {
  const { producer, brokers } = await mockCluster();
  for (let i = 0; i < 10; i++) producer.produce("t", i % 2, Buffer.from(String(i)));
  await call(producer, "flush", 10_000);
  const consumer = await connectConsumer(brokers);
  consumer.assign([
    { topic: "t", partition: 0, offset: 3 },
    { topic: "t", partition: 1, offset: 1 },
  ]);
  show(
    "assigned",
    consumer.assignments().map(({ partition, offset }) => [partition, offset]),
  );
  const messages = await consumeAll(consumer, 6);
  show(
    "from the given offsets",
    messages.map(({ partition, offset, value }) => `${partition}/${offset}/${value}`).sort(),
  );
  consumer.incrementalUnassign([{ topic: "t", partition: 0 }]);
  show(
    "one less",
    consumer.assignments().map(({ partition }) => partition),
  );
  consumer.incrementalAssign([{ topic: "t", partition: 0, offset: 4 }]);
  show(
    "one more",
    (await consumeAll(consumer, 1)).map(({ partition, offset }) => [partition, offset]),
  );
  consumer.unassign();
  show("none", consumer.assignments().length);
  show("nothing comes", (await consumeAll(consumer, 1, 500)).length);
  await call(consumer, "disconnect");
  await call(producer, "disconnect");
});
