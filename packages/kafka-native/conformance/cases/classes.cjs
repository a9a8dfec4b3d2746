const { addon, show, attempt, collectGarbage, until } = require("../harness/case.cjs");

const { Counter, Other } = addon;
show("class", Counter.name, typeof Counter, new Counter(1) instanceof Counter);
show("methods", Object.keys(Counter.prototype));
const descriptor = Object.getOwnPropertyDescriptor(Counter.prototype, "add");
show("method's attributes", descriptor.writable, descriptor.enumerable, descriptor.configurable);

const counter = new Counter(1);
show("state", counter.add(2), counter.add(3), counter.value());
show("an instance has no properties of its own", Object.keys(counter));
show("made by C++", addon.makeCounter(40).value(), addon.makeCounter(0) instanceof Counter);
class Derived extends Counter {}
show("derived", new Derived(5).add(1), new Derived(5) instanceof Derived);
show("another's argument", counter.addTo(new Counter(10)));

// V8 checks the receiver before the method runs.
for (const receiver of [{}, undefined, 1, Counter.prototype, new Other(), Object.create(counter), []]) {
  show(
    "wrong receiver",
    attempt(() => Counter.prototype.add.call(receiver, 1)),
  );
}
show(
  "right class, wrong method",
  attempt(() => Other.prototype.ping.call(counter)),
);
show("right receiver after all that", counter.value());
show(
  "constructor that throws",
  attempt(() => new Counter("x")),
);

(async () => {
  (() => {
    for (let i = 0; i < 1000; i++) new Counter(i);
  })();
  await until(() => {
    collectGarbage();
    return addon.destroyed() > 500;
  });
  show("collected with their objects", addon.destroyed() > 500);
  show("still there", counter.value());
})();
