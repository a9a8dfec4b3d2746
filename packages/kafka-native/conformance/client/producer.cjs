const { show, attempt, until } = require("../harness/case.cjs");
const { kafka, call, main, mockCluster } = require("../harness/client.cjs");

main(async () => {
  const { producer } = await mockCluster({ dr_msg_cb: true });
  const reports = [];
  producer.on("delivery-report", (error, report) => reports.push([error, report]));
  producer.setPollInterval(5);

  const opaque = { some: "object" };
  const sent = [
    ["t", 0, Buffer.from("plain"), "key", 1700000000000],
    ["t", 1, Buffer.from("binary key"), Buffer.from([1, 2, 255]), 1700000000001, 42],
    ["t", 2, Buffer.from("no key"), null, Date.now(), opaque],
    ["t", 3, null, "tombstone", undefined, "text opaque"],
    ["t", 0, Buffer.alloc(100_000, "l"), "large", null, null],
    [
      "t",
      1,
      Buffer.from("headers"),
      "h",
      0,
      undefined,
      [{ a: "1" }, { b: Buffer.from([0, 255]) }, { a: "again" }],
    ],
    ["t", 2, Buffer.from("unicode"), "kéy 漢 😀"],
  ];
  for (const message of sent) producer.produce(...message);
  await until(() => reports.length === sent.length);

  reports.sort(([, a], [, b]) => a.partition - b.partition || a.offset - b.offset);
  for (const [error, { topic, partition, offset, key, value, size, opaque: given }] of reports) {
    show(error, topic, partition, offset, key?.toString("hex") ?? null, size, value?.length ?? null, given);
    show(
      "opaque is the object itself",
      given === opaque,
      "buffers",
      Buffer.isBuffer(key),
      Buffer.isBuffer(value),
    );
  }

  show(
    "value of the wrong type",
    attempt(() => producer.produce("t", 0, "text")),
  );
  show(
    "no topic",
    attempt(() => producer.produce(null, 0, Buffer.from("x"))),
  );
  show(
    "timestamp of the wrong type",
    attempt(() => producer.produce("t", 0, null, null, "now")),
  );
  show("flush", await call(producer, "flush", 5000));
  const { orig_broker_id: id, topics } = await call(producer, "getMetadata", { topic: "t", timeout: 5000 });
  show(
    "metadata",
    id,
    topics.map(({ name, partitions }) => [name, partitions.length]),
  );
  show("watermarks", await call(producer, "queryWatermarkOffsets", "t", 0, 5000));
  show("version", kafka.librdkafkaVersion.split(".").length, kafka.features.includes("snappy"));
  await call(producer, "disconnect");
  show(
    "after disconnect",
    attempt(() => producer.produce("t", 0, Buffer.from("late"))),
  );
});
