// oracle: no: NAN crashes when an empty callback is called
const { addon, show } = require("../harness/case.cjs");

show(
  "called on a receiver, still empty",
  addon.setEmptyCallback(() => show("must not be called")),
);
