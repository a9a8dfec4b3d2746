const { addon, show, collectGarbage } = require("../harness/case.cjs");

addon.keepCallback(function (...received) {
  show("receiver is the global object", this === globalThis);
  show("arguments", received);
  return "result";
});
collectGarbage();
show("returned", addon.callKept());
const one = () => {};
addon.keepCallback(one);
show(
  "same function",
  addon.isKept(one),
  "another",
  addon.isKept(() => {}),
);
addon.dropCallback();
show(
  "empty and not",
  addon.callbackIsEmpty(() => {}),
);

const receiver = { name: "receiver" };
show(
  "on a receiver",
  addon.callOnReceiver(function (...received) {
    return [this === receiver, received.length];
  }, receiver),
);
