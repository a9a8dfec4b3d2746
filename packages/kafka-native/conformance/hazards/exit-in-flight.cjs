// The process exits with thousands of messages queued, delivery reports pending and a consume call blocked.
// exits: 3
const { show } = require("../harness/case.cjs");
const { connectConsumer, main, mockCluster } = require("../harness/client.cjs");

main(async () => {
  const { producer, brokers } = await mockCluster({ dr_cb: true, "queue.buffering.max.messages": 200_000 });
  producer.on("delivery-report", () => {});
  producer.setPollInBackground(true);
  const consumer = await connectConsumer(brokers);
  consumer.subscribe(["t"]);
  consumer.setDefaultConsumeTimeout(5000);
  consumer.consume(100, () => {});
  for (let i = 0; i < 50_000; i++) producer.produce("t", null, Buffer.alloc(200), `key ${i}`);
  show("leaving");
  process.exit(3);
});
