// A handler disconnects the consumer while a backlog is being delivered. The process must survive; the disconnect may
// never end, because Confluent's C++ leaks messages that librdkafka waits for (under NAN too, where it also calls a freed
// callback).
// oracle: no: NAN crashes
const { show } = require("../harness/case.cjs");
const { call, connectConsumer, main, mockCluster } = require("../harness/client.cjs");

main(async () => {
  const { producer, brokers } = await mockCluster();
  for (let i = 0; i < 5000; i++) producer.produce("t", 0, Buffer.from(String(i)));
  await call(producer, "flush", 10_000);
  const consumer = await connectConsumer(brokers);
  consumer.subscribe(["t"]);
  let seen = 0;
  await new Promise((resolve) => {
    consumer.on("data", () => {
      if (++seen !== 10) return;
      consumer.disconnect(() => {});
      setTimeout(resolve, 100);
    });
    consumer.consume();
  });
  show("goes on", seen >= 10);
  producer.produce("t", 0, Buffer.from("still works"));
  show("flush", await call(producer, "flush", 10_000));
  process.exit(0);
});
