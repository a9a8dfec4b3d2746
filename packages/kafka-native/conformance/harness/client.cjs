// Confluent's client with the addon under test, and helpers of its cases.
const { createRequire } = require("node:module");
const { join } = require("node:path");

const fromPackage = createRequire(join(__dirname, "../../package.json"));
const manifest = fromPackage.resolve("@confluentinc/kafka-javascript/package.json");
const fromClient = createRequire(manifest);

// The client loads its addon through `bindings`: return the one under test.
const bindings = fromClient.resolve("bindings");
require.cache[bindings] = {
  id: bindings,
  filename: bindings,
  loaded: true,
  exports: () => require(process.env.CONFORMANCE_CLIENT_ADDON),
};

/** Confluent's package. */
const kafka = fromClient("./");
exports.kafka = kafka;

/** Calls a method that takes a callback; resolves with what the callback gets (an array when it is more than one). */
const call = (target, method, ...args) =>
  new Promise((resolve, reject) => {
    target[method](...args, (error, ...results) => {
      if (error) reject(error);
      else resolve(results.length > 1 ? results : results[0]);
    });
  });
exports.call = call;

/** A name that no other run uses. */
exports.unique = (prefix) =>
  `${prefix}-${process.pid}-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;

/** The broker that cases marked `needs: broker` use. */
exports.bootstrapServers = process.env.KAFKA_TEST_BOOTSTRAP_SERVERS;

/** A producer with librdkafka's mock cluster inside it, connected; `brokers` reaches the cluster from other clients. */
exports.mockCluster = async (settings = {}, Producer = kafka.Producer) => {
  const producer = new Producer({
    "bootstrap.servers": "replaced",
    "test.mock.num.brokers": 1,
    log_level: 0,
    "linger.ms": 1,
    ...settings,
  });
  producer.on("event.error", () => {});
  const { brokers } = await call(producer, "connect", { allTopics: true });
  return { producer, brokers: brokers.map(({ host, port }) => `${host}:${port}`).join() };
};

/** A consumer in a group of its own, connected. */
exports.connectConsumer = async (brokers, settings = {}, topicSettings = {}) => {
  const consumer = new kafka.KafkaConsumer(
    {
      "bootstrap.servers": brokers,
      "group.id": exports.unique("group"),
      "enable.auto.commit": false,
      log_level: 0,
      ...settings,
    },
    { "auto.offset.reset": "earliest", ...topicSettings },
  );
  await call(consumer, "connect", {});
  return consumer;
};

/** Consumes until there are `count` messages, or for `deadlineMs`. */
exports.consumeAll = async (consumer, count, deadlineMs = 30_000) => {
  const messages = [];
  consumer.setDefaultConsumeTimeout(200);
  for (const end = Date.now() + deadlineMs; messages.length < count && Date.now() < end; ) {
    const result = await call(consumer, "consume", count - messages.length).catch((error) => {
      // The topic doesn't exist yet.
      if (error.code === kafka.CODES.ERRORS.ERR_UNKNOWN_TOPIC_OR_PART) return [];
      throw error;
    });
    messages.push(...(Array.isArray(result[0]) ? result[0] : result));
  }
  return messages;
};

/** A message as text, without what differs from run to run. */
exports.describeMessage = ({ topic, partition, offset, key, value, size, headers }) => ({
  topic: topic.replace(/-\d+-\w+-\w+$/, ""),
  partition,
  offset,
  key: key?.toString() ?? null,
  value: value?.toString() ?? null,
  size,
  ...(headers && { headers: headers.map((one) => Object.entries(one).map(([k, v]) => [k, v.toString()])) }),
});

/** Creates a topic on the real broker and waits until it is there. */
exports.createTopic = async (topic, partitions = 1) => {
  const admin = kafka.AdminClient.create({ "bootstrap.servers": exports.bootstrapServers, log_level: 0 });
  await call(admin, "createTopic", { topic, num_partitions: partitions, replication_factor: 1 }, 10_000);
  for (;;) {
    const [found] = await call(admin, "describeTopics", [topic], { timeout: 5000 });
    if (found?.partitions?.length === partitions && found.partitions.every(({ leader }) => leader)) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  admin.disconnect();
};

/** Ends the case with an error instead of leaving it to hang. */
exports.main = (body) => {
  body().catch((error) => {
    console.error(error);
    process.exit(1);
  });
};
