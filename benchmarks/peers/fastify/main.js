// The ingestion service on Fastify and Confluent's client, under Node: Fastify's own JSON parser, Ajv and serialiser.
import KafkaClient from "@confluentinc/kafka-javascript";
import Fastify from "fastify";
import { v7 as uuidv7 } from "uuid";

const { PORT = "3000", KAFKA_BOOTSTRAP_SERVERS = "localhost:9092", KAFKA_TOPIC = "events" } = process.env;
const outcomes = { delivered: 0, failed: 0 };

/** The rules of packages/contract/src/event.ts as JSON Schema. */
const eventSchema = {
  type: "object",
  required: ["event_type"],
  additionalProperties: false,
  properties: {
    event_type: { type: "string", minLength: 1, maxLength: 128 },
    event_id: { type: "string", minLength: 1, maxLength: 128 },
    user_id: { type: "string", minLength: 1, maxLength: 256 },
    timestamp: {
      anyOf: [
        {
          type: "string",
          maxLength: 64,
          pattern:
            "^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])[Tt]([01]\\d|2[0-3]):[0-5]\\d:([0-5]\\d|60)(\\.\\d{1,9})?([Zz]|[+-]([01]\\d|2[0-3]):[0-5]\\d)$",
        },
        { type: "integer", minimum: 0, maximum: 8.64e15 },
      ],
    },
    payload: { type: "object" },
  },
};

const responseSchema = {
  type: "object",
  properties: { status: { type: "string" }, event_id: { type: "string" } },
};

/** The pattern can't count days. */
function isCalendarTime(timestamp) {
  if (typeof timestamp !== "string") return true;
  const [year, month, day] = timestamp.slice(0, 10).split("-").map(Number);
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function connect() {
  const producer = new KafkaClient.Producer({
    "bootstrap.servers": KAFKA_BOOTSTRAP_SERVERS,
    "linger.ms": 5,
    "batch.size": 1_048_576,
    "compression.type": "lz4",
    acks: "all",
    "enable.idempotence": true,
    partitioner: "murmur2_random",
    "queue.buffering.max.kbytes": 65_536,
    "message.timeout.ms": 30_000,
    dr_cb: true,
  });
  producer.on("delivery-report", (error) => {
    if (error) outcomes.failed++;
    else outcomes.delivered++;
  });
  producer.setPollInterval(10);
  return new Promise((resolve, reject) => {
    producer.connect({ topic: KAFKA_TOPIC }, (error) => (error ? reject(error) : resolve(producer)));
  });
}

const kafka = await connect();

const app = Fastify({
  // Fastify's defaults would turn 7 into "7" and drop unknown members, where the rules refuse both.
  ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
});

app.setErrorHandler(function answerProblem(error, _request, reply) {
  const status = error.validation ? 422 : (error.statusCode ?? 500);
  reply.code(status).type("application/problem+json");
  return { title: error.code ?? error.name, status, detail: error.message };
});

app.post(
  "/register_event",
  { schema: { body: eventSchema, response: { 202: responseSchema } } },
  function registerEvent(request, reply) {
    const event = request.body;
    if (!isCalendarTime(event.timestamp)) {
      throw Object.assign(new Error("/timestamp is not a date that the calendar has"), { statusCode: 422 });
    }
    event.event_id ??= uuidv7();
    event.timestamp ??= Date.now();
    try {
      kafka.produce(KAFKA_TOPIC, null, Buffer.from(JSON.stringify(event)), event.user_id, Date.now());
    } catch (error) {
      reply.header("retry-after", "1");
      throw Object.assign(new Error(error.message), { statusCode: 503 });
    }
    reply.code(202).send({ status: "accepted", event_id: event.event_id });
  },
);

app.get("/health/ready", (_request, reply) => reply.send(outcomes));

await app.listen({ host: "127.0.0.1", port: Number(PORT) });

process.on("SIGTERM", async () => {
  await app.close();
  kafka.flush(10_000, () => kafka.disconnect(() => process.exit(0)));
});
