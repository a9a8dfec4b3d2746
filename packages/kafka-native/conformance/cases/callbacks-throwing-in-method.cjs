// oracle: no: NAN's Callback::Call reports it as an uncaught exception
const { addon, show, attempt } = require("../harness/case.cjs");

addon.keepCallback(() => {
  throw new Error("from the callback");
});
show("thrown by the method that called", attempt(addon.callKept));
