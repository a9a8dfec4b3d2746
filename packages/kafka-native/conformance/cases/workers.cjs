const { addon, show, tick, until } = require("../harness/case.cjs");

const sleep = (ms, error = "") =>
  new Promise((resolve) => addon.sleep(ms, error, (...received) => resolve(received)));

(async () => {
  let returned = false;
  const first = sleep(1).then((received) => show("later", returned, received));
  returned = true;
  await first;
  const [error] = await sleep(1, "it failed");
  show("error", error instanceof Error, error.message);
  show(
    "plain",
    await new Promise((resolve) => addon.runPlain(false, (...received) => resolve(received.length))),
  );
  show("plain failure", await new Promise((resolve) => addon.runPlain(true, (e) => resolve(e.message))));
  const coded = await new Promise((resolve) => addon.fail(resolve));
  show("own error", coded.message, coded.code);
  await until(() => addon.destroyedWorkers() === 3);
  show("destroyed", addon.destroyedWorkers());

  const all = await Promise.all(Array.from({ length: 50 }, (_, i) => sleep(i % 5)));
  show(
    "fifty",
    all.every(([e, ms], i) => e === null && ms === i % 5),
  );
  await tick();
  // Queued work keeps the process alive.
  addon.sleep(50, "", () => show("the last"));
})();
