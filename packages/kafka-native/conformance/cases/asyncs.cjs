const { addon, show, tick } = require("../harness/case.cjs");

(async () => {
  let calls = 0;
  show(
    "open",
    addon.openAsync(() => calls++),
  );
  show("send", addon.sendAsync(1), "not called at once", calls);
  await tick();
  show("calls after one send", calls);
  show("send", addon.sendAsync(1000));
  await tick();
  show("calls after a thousand more, sent before the loop turned", calls);
  await new Promise((resolve) => addon.closeAsync(resolve));
  show("closed");

  calls = 0;
  addon.openAsync(() => calls++);
  await new Promise((resolve) => addon.closeThenSendAsync(resolve));
  await tick();
  show("calls after a send to a closed handle", calls);

  // An open handle keeps the process alive: the timer below doesn't, being unref'd.
  addon.openAsync(() => {});
  setTimeout(() => addon.closeAsync(() => show("closed by a timer that keeps nothing alive")), 50).unref();
})();
