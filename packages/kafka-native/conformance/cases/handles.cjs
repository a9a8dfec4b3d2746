const { addon, show, collectGarbage } = require("../harness/case.cjs");

show("escaped", addon.escape(7));
show("inner scopes", addon.innerScope());
show("a hundred thousand scopes", addon.manyScopes(100_000));
collectGarbage();
show("locals", addon.locals({}));
show("maybes", addon.maybes({}));
