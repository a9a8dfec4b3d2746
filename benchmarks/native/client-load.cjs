// One run of Confluent's client: produces or consumes COUNT records as fast as it can. Plain CommonJS, so that Node and Bun
// load the same file. Settings come from the environment, the result goes to standard output as JSON.
const { readFileSync } = require("node:fs");

const { CLIENT, MODE, BOOTSTRAP_SERVERS, TOPIC } = process.env;
const count = Number(process.env.COUNT);
const kafka = require(CLIENT);

/** Records produced in one iteration of the event loop, about as many as a service's requests bring. */
const BURST = 500;

/** CPU time of the main thread, µs, in steps of 10 ms; NaN without /proc. */
function mainThreadMicros() {
  try {
    const text = readFileSync(`/proc/self/task/${process.pid}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return Number.NaN;
  }
}

function processMicros() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

const promised = (call) =>
  new Promise((resolve, reject) => call((error, value) => (error ? reject(error) : resolve(value))));
const nextIteration = () => new Promise((resolve) => setImmediate(resolve));
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function produce() {
  const reports = {
    "produce-silent": {},
    "produce-reported": { dr_cb: true },
    "produce-keyed": { dr_msg_cb: true },
  };
  const producer = new kafka.Producer({
    "bootstrap.servers": BOOTSTRAP_SERVERS,
    "linger.ms": 5,
    "batch.size": 1_048_576,
    "compression.type": "lz4",
    "enable.idempotence": true,
    ...reports[MODE],
  });
  let delivered = 0;
  producer.on("delivery-report", (error) => {
    if (error) throw error;
    delivered++;
  });
  await promised((done) => producer.connect({}, done));
  producer.setPollInterval(5);
  const isKeyed = MODE === "produce-keyed";
  const value = Buffer.from(
    `{"event_type":"bench","payload":{"text":"${"lorem ipsum dolor ".repeat(9)}"}}`.slice(0, 200),
  );
  const start = begin();
  for (let n = 0; n < count; ) {
    try {
      for (let i = 0; i < BURST && n < count; i++) {
        if (isKeyed) producer.produce(TOPIC, null, value, `user-${n % 1000}`, null, n);
        else producer.produce(TOPIC, null, value);
        n++;
      }
      await nextIteration();
    } catch (error) {
      if (error.code !== kafka.CODES.ERRORS.ERR__QUEUE_FULL) throw error;
      await pause(1);
    }
  }
  await promised((done) => producer.flush(30_000, done));
  while (MODE !== "produce-silent" && delivered < count) await pause(1);
  const result = end(start);
  await promised((done) => producer.disconnect(done));
  return result;
}

async function consume() {
  const consumer = new kafka.KafkaConsumer(
    {
      "bootstrap.servers": BOOTSTRAP_SERVERS,
      "group.id": `native-${process.pid}`,
      "enable.auto.commit": false,
      "queued.min.messages": 100_000,
    },
    { "auto.offset.reset": "earliest" },
  );
  const metadata = await promised((done) => consumer.connect({ topic: TOPIC }, done));
  const { partitions } = metadata.topics.find(({ name }) => name === TOPIC);
  consumer.assign(partitions.map(({ id }) => ({ topic: TOPIC, partition: id, offset: 0 })));
  consumer.setDefaultConsumeTimeout(100);
  let start;
  let consumed = 0;
  while (consumed < count) {
    const messages = await promised((done) => consumer.consume(1000, done));
    start ??= begin();
    consumed += messages.length;
  }
  const result = end(start);
  await promised((done) => consumer.disconnect(done));
  return result;
}

function begin() {
  return { at: performance.now(), main: mainThreadMicros(), process: processMicros() };
}

function end(start) {
  return {
    recordsPerSecond: (count / (performance.now() - start.at)) * 1000,
    mainMicrosPerRecord: (mainThreadMicros() - start.main) / count,
    cpuMicrosPerRecord: (processMicros() - start.process) / count,
  };
}

(MODE === "consume" ? consume() : produce()).then(
  (result) => {
    console.log(JSON.stringify(result));
    process.exit(0);
  },
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
