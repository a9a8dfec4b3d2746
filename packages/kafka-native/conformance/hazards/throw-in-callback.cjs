const { show, until } = require("../harness/case.cjs");
const { call, connectConsumer, main, mockCluster } = require("../harness/client.cjs");

const uncaught = [];
process.on("uncaughtException", ({ message }) => uncaught.push(message));

main(async () => {
  const { producer, brokers } = await mockCluster({ dr_cb: true });
  let reports = 0;
  producer.on("delivery-report", () => {
    reports++;
    throw new Error("from a delivery report");
  });
  producer.setPollInBackground(true);
  for (let i = 0; i < 250; i++) producer.produce("t", 0, Buffer.from(String(i)));
  await until(() => reports === 250);
  await until(() => uncaught.length === 250);
  show("reports", reports, "uncaught", uncaught.length, new Set(uncaught).size);

  const consumer = await connectConsumer(brokers);
  let events = 0;
  consumer.on("data", () => {
    events++;
    throw new Error("from data");
  });
  consumer.subscribe(["t"]);
  consumer.consume();
  await until(() => events === 250);
  await until(() => uncaught.length === 500);
  show("messages", events, "uncaught", uncaught.length);
  await call(consumer, "disconnect");
  await call(producer, "disconnect");
  show("still works");
});
