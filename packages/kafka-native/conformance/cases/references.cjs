const { addon, show, collectGarbage } = require("../harness/case.cjs");

const values = [{ a: 1 }, "text", 42, -0, true, false, null, Symbol.iterator, 10n, undefined, () => "called"];
for (const value of values) addon.keep(value);
collectGarbage();
show(
  "kept",
  values.toReversed().map((value) => Object.is(addon.takeLast(), value)),
);

for (let i = 0; i < 100_000; i++) addon.keep({ i });
collectGarbage();
let right = 0;
for (let i = 0; i < 1000; i++) if (addon.takeFirst().i === i) right++;
for (let i = 99_999; i >= 1000; i--) if (addon.takeLast().i === i) right++;
show("a hundred thousand kept", right);

const f = () => "refilled";
show("refilled", addon.refill(f) === f, addon.refill(() => "again")());

// What is let go of is collected.
const registry = [];
for (let i = 0; i < 1000; i++) {
  const value = { i };
  registry.push(new WeakRef(value));
  addon.keep(value);
}
for (let i = 0; i < 1000; i++) addon.takeLast();
setTimeout(() => {
  collectGarbage();
  setTimeout(() => {
    collectGarbage();
    show("collected", registry.filter((reference) => reference.deref() === undefined).length > 900);
  }, 10);
}, 10);
