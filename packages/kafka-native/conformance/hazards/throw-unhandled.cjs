// An uncaught exception ends the process; it doesn't hang.
// exits: 1
const { show } = require("../harness/case.cjs");
const { main, mockCluster } = require("../harness/client.cjs");

main(async () => {
  const { producer } = await mockCluster({ dr_cb: true });
  producer.on("delivery-report", () => {
    show("throwing");
    throw new Error("nobody handles this");
  });
  producer.setPollInBackground(true);
  producer.produce("t", 0, Buffer.from("x"));
});
