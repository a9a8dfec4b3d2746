const { addon, show, attempt } = require("../harness/case.cjs");

show("empty", addon.emptyObject());
const [empty, record] = [addon.emptyObject(), addon.record("t", 1, "k")];
show("fresh each time", addon.emptyObject() !== empty, addon.record("t", 1, "k") !== record);
show("pair", addon.pair());
show("record", addon.record("t", 1, Buffer.from("k")), Object.keys(addon.record("t", 1, "k")));
show("record without a key", addon.record("t", 1), Object.keys(addon.record("t", 1)));
show("prototype", Object.getPrototypeOf(addon.record("t", 1, "k")) === Object.prototype);
record.more = 1;
delete record.topic;
show("ordinary object", record);
show("large", addon.large());
show("aliased", addon.aliased());

const object = { key: "value", 3: "three" };
show("set", addon.setByKey(object, "new", 1), addon.setByKey(object, "key", 2), object);
show(
  "set on a frozen object",
  attempt(() => addon.setByKey(Object.freeze({}), "a", 1)),
);
show(
  "get",
  addon.getByKey(object, "key"),
  addon.getByKey(object, "absent"),
  addon.getByKey(object, "toString") === Object.prototype.toString,
);
show(
  "get by a number",
  addon.getByKey(["a", "b"], 1),
  addon.getByKey(object, 3),
  addon.getByIndex(["a", "b"], 1),
  addon.getByIndex([], 5),
);
const symbol = Symbol("s");
show("get by a symbol", addon.getByKey({ [symbol]: "by symbol" }, symbol));
show("get by a literal", addon.getByLiteral(object), addon.getByLiteral({}));
show("has", addon.hasByLiteral(object), addon.hasByLiteral({}), addon.hasByLiteral({ key: undefined }));
show("has inherited", addon.hasByLiteral(Object.create({ key: 1 })), addon.hasByKey({}, "toString"));

const listed = { b: 1, a: 2, 10: "ten", 9: "nine", [symbol]: 1 };
Object.defineProperty(listed, "hidden", { value: 1, enumerable: false });
Object.setPrototypeOf(listed, { inherited: 1 });
show("names", addon.names(listed), addon.namesByMethod(listed), addon.names([5, 6]), addon.names({}));
show("array", addon.fill());

const throwing = {
  get key() {
    throw new Error("from the getter");
  },
  set key(_value) {
    throw new Error("from the setter");
  },
};
show(
  "throwing getter",
  attempt(() => addon.getByLiteral(throwing)),
  attempt(() => addon.getByKey(throwing, "key")),
);
show(
  "throwing setter",
  attempt(() => addon.setByKey(throwing, "key", 1)),
);
const proxy = new Proxy(
  {},
  {
    has: () => {
      throw new Error("from the trap");
    },
  },
);
show(
  "throwing trap",
  attempt(() => addon.hasByLiteral(proxy)),
);
