const { show, attempt } = require("../harness/case.cjs");
const { call, main, mockCluster } = require("../harness/client.cjs");
const native = require(process.env.CONFORMANCE_CLIENT_ADDON);

main(async () => {
  const { producer } = await mockCluster();
  // Confluent's JavaScript passes names only; its C++ also accepts a topic object with its own settings.
  const topic = new native.Topic("by-object", { "request.required.acks": 1 });
  show("name", topic.name());
  for (let i = 0; i < 5; i++) producer._client.produce(topic, 0, Buffer.from(String(i)), null);
  await call(producer, "flush", 10_000);
  show("written", await call(producer, "queryWatermarkOffsets", "by-object", 0, 5000));
  show(
    "bad setting",
    attempt(() => new native.Topic("x", { "no.such.setting": 1 })),
  );
  show(
    "no name",
    attempt(() => new native.Topic()),
  );
  show("error text", native.err2str(-185), native.err2str(0));
  show("constants", native.topic);
  await call(producer, "disconnect");
});
