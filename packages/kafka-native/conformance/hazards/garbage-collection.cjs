const { show, collectGarbage, until } = require("../harness/case.cjs");
const { kafka, call, connectConsumer, consumeAll, main, mockCluster } = require("../harness/client.cjs");

main(async () => {
  const { producer, brokers } = await mockCluster({ dr_msg_cb: true });
  let right = 0;
  producer.on("delivery-report", (_, { opaque, value }) => {
    if (opaque.text === value.toString()) right++;
  });
  producer.setPollInBackground(true);
  for (let i = 0; i < 2000; i++) {
    producer.produce(
      "t",
      0,
      Buffer.from(`value ${i}`),
      Buffer.from(`key ${i}`),
      null,
      { text: `value ${i}` },
      [{ h: Buffer.from(`h${i}`) }],
    );
    if (i % 50 === 0) collectGarbage();
  }
  await until(() => {
    collectGarbage();
    return right === 2000;
  });
  show("reports with their opaques", right);

  const consumer = await connectConsumer(brokers);
  consumer.subscribe(["t"]);
  const messages = [];
  while (messages.length < 2000) {
    messages.push(...(await consumeAll(consumer, Math.min(100, 2000 - messages.length))));
    collectGarbage();
  }
  show(
    "messages intact",
    messages.every(({ value, key, headers }, i) => {
      const n = value.toString().slice(6);
      return Number(n) === i && key.toString() === `key ${n}` && headers[0].h.toString() === `h${n}`;
    }),
  );
  await call(consumer, "disconnect");
  await call(producer, "disconnect");

  // Clients that never connect, and go away with their objects.
  for (let i = 0; i < 500; i++) {
    new kafka.Producer({ "bootstrap.servers": brokers });
    if (i % 100 === 0) collectGarbage();
  }
  collectGarbage();
  show("unconnected clients dropped");
});
