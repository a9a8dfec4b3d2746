const { addon, show } = require("../harness/case.cjs");

const uncaught = [];
process.on("uncaughtException", (error) => uncaught.push(error.message));
let calls = 0;
for (let i = 0; i < 3; i++) {
  addon.sleep(1 + i * 20, "", () => {
    calls++;
    throw new Error(`from a worker's callback ${i}`);
  });
}
addon.openAsync(() => {
  calls++;
  throw new Error("from an async's callback");
});
addon.sendAsync(1);
setTimeout(() => {
  show("calls", calls);
  show("uncaught", uncaught.sort());
  addon.closeAsync(() => show("closed all the same"));
}, 300);
