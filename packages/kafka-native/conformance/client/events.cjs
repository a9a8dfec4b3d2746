// Statistics, logs and errors.
const { show, attempt, until } = require("../harness/case.cjs");
const { kafka, call, main, mockCluster } = require("../harness/client.cjs");

main(async () => {
  const { producer } = await mockCluster({ "statistics.interval.ms": 50, debug: "msg", log_level: 7 });
  let statistics = 0;
  let logs = 0;
  let last;
  let log;
  producer.on("event.stats", ({ message }) => {
    statistics++;
    last = JSON.parse(message);
  });
  producer.on("event.log", (event) => {
    logs++;
    log = event;
  });
  producer.setPollInterval(5);
  await until(() => {
    producer.produce("t", 0, Buffer.from("something to log"));
    return statistics >= 3 && logs > 0;
  });
  show("statistics", last.type, typeof last.brokers, typeof last.txmsgs);
  show("log", Object.keys(log).sort(), typeof log.severity, typeof log.message, log.name === last.name);
  await call(producer, "disconnect");

  const lost = new kafka.Producer({ "bootstrap.servers": "127.0.0.1:1", log_level: 0 });
  const error = await call(lost, "connect", { timeout: 1000 }).catch((failure) => failure);
  const { ERR__TRANSPORT, ERR__TIMED_OUT } = kafka.CODES.ERRORS;
  show("no broker responds", error instanceof Error, [ERR__TRANSPORT, ERR__TIMED_OUT].includes(error.code));
  await call(lost, "disconnect").catch(() => {});

  show(
    "unknown setting",
    attempt(() => new kafka.Producer({ "no.such.setting": 1 })),
  );
  show(
    "bad value",
    attempt(() => new kafka.Producer({ "linger.ms": -5 })),
  );
  show(
    "bad topic setting",
    attempt(() => new kafka.Producer({}, { "no.such.setting": 1 })),
  );
  show(
    "numbers and booleans are taken",
    attempt(() => new kafka.Producer({ "linger.ms": 5, "enable.idempotence": true })),
  );
  show(
    "consumer without a group",
    attempt(() => new kafka.KafkaConsumer({ "bootstrap.servers": "x" }, {})),
  );
});
