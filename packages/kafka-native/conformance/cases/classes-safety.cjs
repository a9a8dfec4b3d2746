// oracle: no: V8 crashes on these
const { addon, show, attempt } = require("../harness/case.cjs");

const counter = new addon.Counter(1);
for (const argument of [{}, undefined, 1, new addon.Other(), Object.create(counter)]) {
  show(
    "unwrapping a foreign argument",
    attempt(() => counter.addTo(argument)),
  );
}
show("called without new", attempt(() => addon.Counter(1)) !== "no error");
show("usable afterwards", counter.value());
