const { show, attempt } = require("../harness/case.cjs");
const {
  call,
  connectConsumer,
  consumeAll,
  describeMessage,
  main,
  mockCluster,
} = require("../harness/client.cjs");

main(async () => {
  const { producer, brokers } = await mockCluster();
  for (let i = 0; i < 30; i++) {
    const headers = i % 3 === 0 ? [{ n: String(i) }, { b: Buffer.from([i]) }] : undefined;
    producer.produce(
      "t",
      i % 3,
      Buffer.from(`value ${i}`),
      i % 2 ? `key ${i}` : null,
      1700000000000 + i,
      null,
      headers,
    );
  }
  await call(producer, "flush", 10_000);

  const events = [];
  const consumer = await connectConsumer(brokers, {
    rebalance_cb: true,
    offset_commit_cb: (error, offsets) => events.push(["committed", error?.code, offsets.length]),
    "enable.partition.eof": true,
  });
  consumer.on("rebalance", ({ code }, assignment) =>
    events.push([code, assignment.map(({ partition }) => partition)]),
  );
  const ends = [];
  consumer.on("partition.eof", ({ topic, partition, offset }) => ends.push([topic, partition, offset]));
  consumer.subscribe(["t"]);
  const messages = await consumeAll(consumer, 30);
  messages.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
  for (const message of messages) show(describeMessage(message));
  show(
    "buffers",
    messages.every(({ key, value }) => (key === null || Buffer.isBuffer(key)) && Buffer.isBuffer(value)),
  );
  show("subscription", consumer.subscription());
  show(
    "assignments",
    consumer
      .assignments()
      .map(({ topic, partition }) => [topic, partition])
      .sort(),
  );
  show("rebalance", events[0][0], events[0][1].sort());

  consumer.commitSync([{ topic: "t", partition: 0, offset: 4 }]);
  consumer.commitMessageSync(messages.find(({ partition, offset }) => partition === 1 && offset === 6));
  const committed = await call(consumer, "committed", null, 5000);
  show("committed", committed.map(({ partition, offset }) => [partition, offset]).sort());
  const position = consumer.position();
  show("position", position.map(({ partition, offset }) => [partition, offset]).sort());
  show(
    "watermarks",
    await call(consumer, "queryWatermarkOffsets", "t", 0, 5000),
    consumer.getWatermarkOffsets("t", 0),
  );

  await call(consumer, "seek", { topic: "t", partition: 2, offset: 8 }, 5000);
  show(
    "after a seek",
    (await consumeAll(consumer, 2)).map(({ partition, offset }) => [partition, offset]),
  );
  consumer.pause([{ topic: "t", partition: 1 }]);
  for (const partition of [0, 1]) producer.produce("t", partition, Buffer.from("later"));
  await call(producer, "flush", 10_000);
  show(
    "paused",
    (await consumeAll(consumer, 2, 1500)).map(({ partition }) => partition),
  );
  consumer.resume([{ topic: "t", partition: 1 }]);
  show(
    "resumed",
    (await consumeAll(consumer, 1)).map(({ partition }) => partition),
  );
  show(
    "ends seen",
    ends.some(([topic, partition]) => topic === "t" && partition === 0),
  );

  consumer.unsubscribe();
  show("unsubscribed", consumer.subscription());
  show("wrong partitions", attempt(() => consumer.assign("none")) !== "no error");
  await call(consumer, "disconnect");
  show(
    "commit callback",
    events.some(([what]) => what === "committed"),
  );
  show(
    "after disconnect",
    attempt(() => consumer.commit()),
  );
  await call(producer, "disconnect");
});
