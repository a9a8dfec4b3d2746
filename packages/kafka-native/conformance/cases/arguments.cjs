const { addon, show } = require("../harness/case.cjs");

show(
  "length",
  addon.count(),
  addon.count(1),
  addon.count(1, 2, 3, 4, 5, 6, 7),
  addon.count(...Array(30).keys()),
);
show("tenth", addon.tenth(), addon.tenth(...Array(9).keys()), addon.tenth(...Array(10).keys()));
const receiver = { name: "receiver" };
receiver.method = addon.receiver;
show("receiver", receiver.method() === receiver, addon.receiver.call(receiver) === receiver);
show("nothing set", addon.nothing());
show("set twice", addon.lastOfTwo());
show("called", addon.called());
