const { show } = require("../harness/case.cjs");
const { kafka, call, main, mockCluster } = require("../harness/client.cjs");

main(async () => {
  const { producer, brokers } = await mockCluster();
  const again = new kafka.Producer({ "bootstrap.servers": brokers, log_level: 0, "linger.ms": 1 });
  for (let i = 0; i < 5; i++) {
    await call(again, "connect", {});
    again.produce("t", 0, Buffer.from(String(i)));
    await call(again, "flush", 10_000);
    await call(again, "disconnect");
  }
  show("written", (await call(producer, "queryWatermarkOffsets", "t", 0, 5000)).highOffset);
  await call(producer, "disconnect");
});
