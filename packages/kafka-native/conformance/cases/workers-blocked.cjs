// oracle: no: NAN's workers share libuv's four threads with file access and stall it
const fs = require("node:fs");
const dns = require("node:dns");
const { addon, show } = require("../harness/case.cjs");

const blockMs = 1500;
const blockers = 64;
const started = performance.now();
let ended = 0;
const all = Array.from(
  { length: blockers },
  () =>
    new Promise((resolve) =>
      addon.sleep(blockMs, "", () => {
        ended++;
        resolve();
      }),
    ),
);

(async () => {
  await fs.promises.readFile(__filename);
  show("a file was read while all of them blocked", ended === 0);
  await new Promise((resolve) => dns.lookup("localhost", resolve));
  show("a name was looked up while all of them blocked", ended === 0);
  await new Promise((resolve) => addon.sleep(1, "", resolve));
  show("another worker ran while all of them blocked", ended === 0);
  await Promise.all(all);
  show("they blocked side by side", performance.now() - started < 4 * blockMs, ended);
})();
