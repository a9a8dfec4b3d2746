const { addon, show, attempt } = require("../harness/case.cjs");

show("text", attempt(addon.throwText));
show("is an Error", addon.makeError() instanceof Error, addon.makeError().message);
show("from a string", addon.makeErrorFromString("given").message);
const thrown = { code: 7 };
try {
  addon.throwValue(thrown);
} catch (error) {
  show("the very value", error === thrown);
}
show(
  "a primitive",
  (() => {
    try {
      addon.throwValue(5);
    } catch (error) {
      return error;
    }
  })(),
);
show("goes on after a throw", attempt(addon.throwAndGoOn));
show("throws twice", attempt(addon.throwTwice));
show(
  "calls, then throws",
  attempt(() => addon.callThenThrow(() => show("called"))),
);
show("works afterwards", addon.makeError().message);
