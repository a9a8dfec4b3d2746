// oracle: no: with NAN the call of an empty callback crashes
const { addon, show } = require("../harness/case.cjs");

show(
  "called on a receiver, still empty",
  addon.setEmptyCallback(() => show("must not be called")),
);
