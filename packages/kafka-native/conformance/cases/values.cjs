const { addon, show } = require("../harness/case.cjs");

const values = [
  undefined,
  null,
  "",
  "text",
  0,
  -0,
  1,
  -1,
  1.5,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  -(2 ** 31) - 1,
  2 ** 32 - 1,
  2 ** 32,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  true,
  false,
  10n,
  Symbol.iterator,
  {},
  [],
  () => {},
  class {},
  /x/,
  new Date(0),
  Object("boxed"),
  Object(1),
  new Map(),
  Buffer.alloc(1),
  Object.create(null),
  new Proxy([], {}),
  Promise.resolve(),
];
for (const [index, value] of values.entries()) show(index, Object.keys(addon.kinds(value)).join(" "));
show("no argument", Object.keys(addon.kinds()).join(" "));
show(
  "made",
  addon.made().map((value) => (typeof value === "bigint" ? `${value}n` : value)),
);
show("source", addon.source(/^a[0-9]+\/$/gi));
