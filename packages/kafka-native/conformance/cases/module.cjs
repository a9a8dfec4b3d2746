const { addon, show } = require("../harness/case.cjs");

show("constant", addon.constants);
const [descriptor] = Object.values(Object.getOwnPropertyDescriptors(addon.constants));
show("attributes", descriptor.writable, descriptor.enumerable, descriptor.configurable);
try {
  addon.constants["surface::kConstant"] = 1; // Throws in strict code only.
} catch {}
show("assigned", addon.constants["surface::kConstant"]);
