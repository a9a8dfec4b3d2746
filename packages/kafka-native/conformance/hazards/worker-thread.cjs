// oracle: no: under NAN a client's events reach the main thread's loop, whichever thread created it
const { Worker, isMainThread, parentPort, workerData } = require("node:worker_threads");
const { show } = require("../harness/case.cjs");
const { kafka, call, main, mockCluster } = require("../harness/client.cjs");

if (isMainThread) {
  main(async () => {
    const { producer, brokers } = await mockCluster({}, kafka.HighLevelProducer);
    const runWorker = (leaveOpen) =>
      new Promise((resolve, reject) => {
        const said = [];
        const worker = new Worker(__filename, { workerData: { brokers, leaveOpen } });
        worker.on("message", (message) => {
          said.push(message);
          if (leaveOpen) worker.terminate();
        });
        worker.on("error", reject);
        worker.on("exit", () => resolve(said));
      });
    show("from a worker", await runWorker(false));
    show("from two at once", await Promise.all([runWorker(false), runWorker(false)]));
    show("from one that is terminated", await runWorker(true));
    show(
      "the main thread goes on",
      typeof (await call(producer, "produce", "t", 0, Buffer.from("x"), null, Date.now())),
    );
    await call(producer, "disconnect");
  });
} else {
  main(async () => {
    const producer = new kafka.HighLevelProducer({ "bootstrap.servers": workerData.brokers, log_level: 0 });
    await call(producer, "connect", {});
    const offset = await call(producer, "produce", "t", 0, Buffer.from("x"), null, Date.now());
    parentPort.postMessage(typeof offset);
    if (!workerData.leaveOpen) await call(producer, "disconnect");
  });
}
