const { show, until } = require("../harness/case.cjs");
const { call, main, mockCluster } = require("../harness/client.cjs");

let rejections = 0;
process.on("unhandledRejection", () => rejections++);

main(async () => {
  const { producer } = await mockCluster({ dr_cb: true });
  producer.on("delivery-report", async () => {
    throw new Error("rejected");
  });
  producer.setPollInBackground(true);
  for (let i = 0; i < 10; i++) producer.produce("t", 0, Buffer.from(String(i)));
  await until(() => rejections === 10);
  show("unhandled rejections", rejections);
  await call(producer, "disconnect");
});
