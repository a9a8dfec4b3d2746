// oracle: no: under NAN four blocked consumers occupy all of libuv's threads
const fs = require("node:fs");
const { show } = require("../harness/case.cjs");
const { call, connectConsumer, main, mockCluster } = require("../harness/client.cjs");

main(async () => {
  const { producer, brokers } = await mockCluster();
  await call(producer, "getMetadata", { topic: "quiet", timeout: 5000 });
  const consumers = await Promise.all(Array.from({ length: 16 }, () => connectConsumer(brokers)));
  let ended = 0;
  const blocked = consumers.map((consumer) => {
    consumer.subscribe(["quiet"]);
    consumer.setDefaultConsumeTimeout(2000);
    return call(consumer, "consume", 1).then(
      () => ended++,
      () => ended++,
    );
  });
  await fs.promises.readFile(__filename);
  await call(producer, "getMetadata", { timeout: 1000 });
  producer.produce("t", 0, Buffer.from("x"));
  await call(producer, "flush", 1000);
  show("a file, metadata and a flush while sixteen consumers wait", ended === 0);
  await Promise.all(blocked);
  show("they ended", ended);
  await Promise.all(consumers.map((consumer) => call(consumer, "disconnect")));
  await call(producer, "disconnect");
});
