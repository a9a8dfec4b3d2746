const { show } = require("../harness/case.cjs");
const { kafka, call, main, mockCluster } = require("../harness/client.cjs");

main(async () => {
  const { producer } = await mockCluster({}, kafka.HighLevelProducer);
  const offsets = [];
  for (let i = 0; i < 10; i++) {
    offsets.push(
      await call(producer, "produce", "t", i % 2, Buffer.from(`v${i}`), `k${i}`, Date.now(), [{ h: "x" }]),
    );
  }
  show("offsets", offsets);
  const many = await Promise.all(
    Array.from({ length: 500 }, (_, i) =>
      call(producer, "produce", "t", 0, Buffer.from(`v${i}`), null, Date.now()),
    ),
  );
  show("five hundred more", many.sort((a, b) => a - b).at(0), many.at(-1), new Set(many).size);

  producer.setValueSerializer((value) => Buffer.from(JSON.stringify(value)));
  producer.setKeySerializer((key, callback) =>
    setTimeout(() => callback(null, Buffer.from(`key-${key}`)), 1),
  );
  show("serialized", typeof (await call(producer, "produce", "t", 1, { a: 1 }, 7, Date.now())));
  producer.setValueSerializer(() => {
    throw new Error("cannot serialize");
  });
  show(
    "failing serializer",
    await call(producer, "produce", "t", 1, {}, 7, Date.now()).catch((error) => error.message),
  );
  await call(producer, "disconnect");
  show("disconnected");
});
