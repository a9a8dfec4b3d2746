// Empty keys and values stay empty; null is null.
// oracle: no: NAN's pointer to an empty Buffer is null, which writes a tombstone
const { show, until } = require("../harness/case.cjs");
const { call, connectConsumer, consumeAll, main, mockCluster } = require("../harness/client.cjs");

main(async () => {
  const { producer, brokers } = await mockCluster({ dr_msg_cb: true });
  const reports = [];
  producer.on("delivery-report", (_, report) => reports.push(report));
  producer.setPollInterval(5);
  producer.produce("empty", 0, Buffer.alloc(0), Buffer.alloc(0));
  producer.produce("empty", 0, Buffer.alloc(0), "");
  producer.produce("empty", 0, null, null);
  await until(() => reports.length === 3);
  for (const { key, value, size } of reports) show("report", key, value, size);
  const consumer = await connectConsumer(brokers);
  consumer.subscribe(["empty"]);
  for (const { key, value } of await consumeAll(consumer, 3)) show("message", key, value);
  await call(consumer, "disconnect");
  await call(producer, "disconnect");
});
