// Without a handler SIGTERM ends the process immediately, although threads are busy.
const { spawn } = require("node:child_process");
const { show } = require("../harness/case.cjs");
const { main, mockCluster } = require("../harness/client.cjs");

if (process.env.HAZARD_CHILD) {
  main(async () => {
    const { producer } = await mockCluster({ dr_cb: true });
    producer.on("delivery-report", () => {});
    producer.setPollInBackground(true);
    setInterval(() => producer.produce("t", null, Buffer.alloc(100)), 1);
    console.log("running");
  });
} else {
  const child = spawn(process.execPath, [...process.execArgv, __filename], {
    env: { ...process.env, HAZARD_CHILD: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout.once("data", () => child.kill("SIGTERM"));
  child.on("exit", (code, signal) => show("ended by", code, signal));
}
