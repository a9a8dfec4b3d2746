const { show, attempt } = require("../harness/case.cjs");
const { call, main, mockCluster } = require("../harness/client.cjs");

main(async () => {
  for (const inBackground of [false, true]) {
    const { producer } = await mockCluster({ dr_msg_cb: true });
    producer.on("delivery-report", () => {});
    if (inBackground) producer.setPollInBackground(true);
    else producer.setPollInterval(1);
    const fill = () => {
      for (let i = 0; i < 10_000; i++) producer.produce("t", null, Buffer.alloc(200), "key", null, { i });
    };
    fill();
    const disconnected = call(producer, "disconnect", 50);
    show("produce while it disconnects", ["no error", "Producer not connected"].includes(attempt(fill)));
    await disconnected;
    show(
      "disconnected",
      attempt(() => producer.produce("t", null, Buffer.alloc(1))),
    );
    show(
      "a second disconnect",
      await call(producer, "disconnect").then(
        () => "done",
        (error) => error.message,
      ),
    );
  }
});
