// needs: broker
const { show, until } = require("../harness/case.cjs");
const {
  kafka,
  bootstrapServers,
  call,
  connectConsumer,
  createTopic,
  main,
  unique,
} = require("../harness/client.cjs");

main(async () => {
  const topic = unique("groups");
  const group = unique("groups-group");
  await createTopic(topic, 4);
  const join = async () => {
    const consumer = await connectConsumer(bootstrapServers, {
      "group.id": group,
      "session.timeout.ms": 6000,
      rebalance_cb: true,
    });
    consumer.codes = [];
    consumer.on("rebalance", ({ code }) => consumer.codes.push(code));
    consumer.subscribe([topic]);
    consumer.setDefaultConsumeTimeout(100);
    consumer.seen = [];
    consumer.polling = (async () => {
      while (!consumer.stopped) {
        const result = await call(consumer, "consume", 10).catch(() => []);
        consumer.seen.push(...(Array.isArray(result[0]) ? result[0] : result));
      }
    })();
    return consumer;
  };
  const leave = async (consumer) => {
    consumer.stopped = true;
    await consumer.polling;
    await call(consumer, "disconnect");
  };
  const held = (consumer) => consumer.assignments().map(({ partition }) => partition);

  const first = await join();
  await until(() => held(first).length === 4);
  show("alone", held(first).sort());
  const second = await join();
  await until(() => held(first).length === 2 && held(second).length === 2);
  show("shared", [...held(first), ...held(second)].sort());

  const producer = new kafka.Producer({ "bootstrap.servers": bootstrapServers, log_level: 0 });
  await call(producer, "connect", {});
  for (let i = 0; i < 40; i++) producer.produce(topic, i % 4, Buffer.from(String(i)));
  await call(producer, "flush", 10_000);
  await until(() => first.seen.length + second.seen.length === 40);
  show("each its own", new Set([...first.seen, ...second.seen].map(({ value }) => value.toString())).size);
  await leave(second);
  await until(() => held(first).length === 4);
  show("alone again", held(first).sort());
  show(
    "reported",
    first.codes.includes(kafka.CODES.ERRORS.ERR__ASSIGN_PARTITIONS),
    first.codes.includes(kafka.CODES.ERRORS.ERR__REVOKE_PARTITIONS),
  );
  await leave(first);
  await call(producer, "disconnect");
});
