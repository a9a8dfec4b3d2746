const { addon, show } = require("../harness/case.cjs");

show("counted under locks by four threads", addon.countWithThreads());
