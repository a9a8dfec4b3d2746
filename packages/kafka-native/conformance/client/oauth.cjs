const { show, until } = require("../harness/case.cjs");
const { kafka, call, main } = require("../harness/client.cjs");

main(async () => {
  const settings = {
    "bootstrap.servers": "127.0.0.1:1",
    "security.protocol": "sasl_plaintext",
    "sasl.mechanisms": "OAUTHBEARER",
    "sasl.oauthbearer.config": "principal=test",
    log_level: 0,
  };
  let asked = 0;
  let given;
  const token = {
    tokenValue: "a.b.c",
    lifetime: Date.now() + 3_600_000,
    principal: "test",
    extensions: { k: "v" },
  };
  const producer = new kafka.Producer({
    ...settings,
    oauthbearer_token_refresh_cb: (config, callback) => {
      asked++;
      given = config;
      callback(null, token);
    },
  });
  producer.on("event.error", () => {});
  producer.connect({ timeout: 500 }, () => {});
  await until(() => asked > 0);
  show("asked for a token with", given);
  await call(producer, "disconnect").catch(() => {});

  const failing = new kafka.KafkaConsumer({
    ...settings,
    "group.id": "g",
    oauthbearer_token_refresh_cb: async () => {
      throw new Error("no token today");
    },
  });
  const messages = [];
  for (const event of ["event.error", "error"]) failing.on(event, ({ message }) => messages.push(message));
  failing.connect({ timeout: 500 }, () => {});
  await until(() => messages.some((message) => /no token today|authentication/i.test(message)));
  show("the failure is reported");
  await call(failing, "disconnect").catch(() => {});
});
