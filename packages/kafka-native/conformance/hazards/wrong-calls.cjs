// Invalid calls must not crash native code.
// oracle: no: V8 and Confluent's C++ crash on some of these
const { show, attempt } = require("../harness/case.cjs");
const { kafka, call, main, mockCluster } = require("../harness/client.cjs");
const native = require(process.env.CONFORMANCE_CLIENT_ADDON);

main(async () => {
  const { producer } = await mockCluster();
  const client = producer._client;
  const { produce } = native.Producer.prototype;
  for (const receiver of [{}, undefined, native.Producer.prototype, new native.Topic("t")]) {
    show(
      "wrong receiver",
      attempt(() => produce.call(receiver, "t", 0, null)),
    );
  }
  show(
    "wrong topic object",
    attempt(() => client.produce({}, 0, null, null)),
  );
  show(
    "another class as topic",
    attempt(() => client.produce(client, 0, null, null)),
  );
  show(
    "no arguments",
    attempt(() => client.produce()),
  );
  show(
    "a throwing key",
    attempt(() =>
      client.produce("t", 0, null, {
        toString() {
          throw new Error("from toString");
        },
      }),
    ),
  );
  show(
    "a throwing header",
    attempt(() =>
      client.produce("t", 0, null, null, 0, undefined, [
        {
          get h() {
            throw new Error("from a header");
          },
        },
      ]),
    ),
  );
  show(
    "a null header",
    attempt(() => client.produce("t", 0, null, null, 0, undefined, [null])) !== "no error",
  );
  show("a symbol as partition", attempt(() => client.produce("t", Symbol("s"), null)) !== "no error");
  const getter = {
    get "client.id"() {
      throw new Error("from a setting");
    },
  };
  show(
    "a throwing setting",
    attempt(() => new native.Producer(getter, {})),
  );

  const idle = new kafka.Producer({ "bootstrap.servers": "127.0.0.1:1" });
  show(
    "polling before connecting",
    attempt(() => idle.setPollInBackground(true)),
  );
  const consumer = new kafka.KafkaConsumer({ "bootstrap.servers": "127.0.0.1:1", "group.id": "g" }, {});
  show(
    "offsets of an unconnected consumer",
    attempt(() => client.sendOffsetsToTransaction([], consumer._client, 100, () => {})),
  );
  show("produce before connecting", idle._client.produce("t", 0, null, null));
  show("still works", client.produce("t", 0, Buffer.from("x"), null));
  await call(producer, "flush", 5000);
  await call(producer, "disconnect");
});
