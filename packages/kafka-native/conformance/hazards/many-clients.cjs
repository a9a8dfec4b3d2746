const { show, collectGarbage } = require("../harness/case.cjs");
const { kafka, call, connectConsumer, main, mockCluster } = require("../harness/client.cjs");

main(async () => {
  const { producer, brokers } = await mockCluster();
  for (let round = 0; round < 5; round++) {
    const producers = Array.from({ length: 10 }, () => {
      const one = new kafka.Producer({
        "bootstrap.servers": brokers,
        log_level: 0,
        dr_cb: true,
        "linger.ms": 1,
      });
      one.reports = 0;
      one.on("delivery-report", () => one.reports++);
      return one;
    });
    await Promise.all(producers.map((one) => call(one, "connect", {})));
    for (const one of producers) {
      one.setPollInBackground(true);
      for (let i = 0; i < 20; i++) one.produce("t", 0, Buffer.from("x"));
    }
    await Promise.all(producers.map((one) => call(one, "flush", 20_000)));
    await Promise.all(producers.map((one) => call(one, "disconnect")));
    collectGarbage();
  }
  show("written", (await call(producer, "queryWatermarkOffsets", "t", 0, 5000)).highOffset);
  const consumers = await Promise.all(Array.from({ length: 10 }, () => connectConsumer(brokers)));
  for (const one of consumers) one.subscribe(["t"]);
  await Promise.all(consumers.map((one) => call(one, "disconnect")));
  show("consumers closed", consumers.length);
  await call(producer, "disconnect");
});
