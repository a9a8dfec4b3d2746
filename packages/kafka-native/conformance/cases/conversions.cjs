const { addon, show, attempt } = require("../harness/case.cjs");

const values = {
  zero: 0,
  "minus zero": -0,
  half: 1.5,
  negative: -7,
  "2^31": 2 ** 31,
  "2^32 + 5": 2 ** 32 + 5,
  "2^53": 2 ** 53,
  "1e300": 1e300,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
  "empty string": "",
  digits: "42",
  text: "x",
  true: true,
  false: false,
  null: null,
  undefined: undefined,
  array: [7],
  object: {},
  valueOf: { valueOf: () => 9 },
};
for (const [name, value] of Object.entries(values)) {
  show(name, addon.toBool(value), addon.toInt32(value), addon.toUint32(value), addon.toInt64(value));
  show(
    name,
    "as a string",
    addon.toString(value),
    "as a value",
    addon.int32Value(value),
    addon.uint32Value(value),
  );
}
const object = {};
show("object to object", addon.toObject(object) === object, addon.valueToObject(object) === object);
show("primitive to object", typeof addon.toObject(1), addon.valueToObject("text") instanceof String);
const throwing = {
  valueOf() {
    throw new Error("from valueOf");
  },
  toString() {
    throw new Error("from toString");
  },
};
show(
  "throwing to a number",
  attempt(() => addon.toInt32(throwing)),
);
show(
  "throwing to a string",
  attempt(() => addon.toString(throwing)),
);
show("symbol to a number", attempt(() => addon.toInt64(Symbol("s"))) !== "no error");
show("null to an object", attempt(() => addon.toObject(null)) !== "no error");
