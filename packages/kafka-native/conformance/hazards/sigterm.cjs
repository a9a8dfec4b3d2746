const { show } = require("../harness/case.cjs");
const { call, connectConsumer, main, mockCluster } = require("../harness/client.cjs");

main(async () => {
  const { producer, brokers } = await mockCluster({ dr_cb: true });
  let reports = 0;
  producer.on("delivery-report", () => reports++);
  producer.setPollInBackground(true);
  const consumer = await connectConsumer(brokers);
  consumer.subscribe(["t"]);
  consumer.setDefaultConsumeTimeout(300);
  let running = true;
  const polling = (async () => {
    while (running) await call(consumer, "consume", 100).catch(() => {});
  })();
  let produced = 0;
  const timer = setInterval(() => {
    for (let i = 0; i < 100; i++) {
      producer.produce("t", 0, Buffer.from("x"));
      produced++;
    }
    if (produced === 1000) process.kill(process.pid, "SIGTERM");
  }, 1);
  process.on("SIGTERM", async () => {
    clearInterval(timer);
    running = false;
    await call(producer, "flush", 20_000);
    await polling;
    await call(consumer, "disconnect");
    const { highOffset } = await call(producer, "queryWatermarkOffsets", "t", 0, 5000);
    show("all written", highOffset === produced, "ended in order");
    await call(producer, "disconnect");
    show("reported", reports === produced);
  });
});
