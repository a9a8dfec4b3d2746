// Schemas by event type: over a real socket, to a real broker.
import { afterAll, describe, expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { ProducerProcess, startConsumer, startProducer } from "@ingest/testkit/service";
import { startFakeRegistry } from "../../services/producer/src/schemas/testing/fake-registry.ts";

const TIMEOUT_MS = 120_000;
const kafka = await KafkaFixture.shared();
afterAll(() => kafka[Symbol.asyncDispose]());

const order = { type: "object", required: ["id"], properties: { id: { type: "string" } } };

interface Started extends AsyncDisposable {
  service: ProducerProcess;
  topic: string;
  write(file: string, schema: unknown): void;
  remove(file: string): void;
}

async function start(env: Record<string, string> = {}): Promise<Started> {
  const folder = temporaryFolder("schemas");
  const write = (file: string, schema: unknown) =>
    writeFileSync(join(folder.path, file), JSON.stringify(schema));
  write("order.json", order);
  const topic = kafka.topicName();
  const service = await startProducer({
    env: { ...kafka.env, KAFKA_TOPIC: topic, SCHEMA_DIR: folder.path, SCHEMA_MODE: "enforce", ...env },
  });
  return {
    service,
    topic,
    write,
    remove: (file) => rmSync(join(folder.path, file)),
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      folder[Symbol.dispose]();
    },
  };
}

async function storedIds({ service, topic }: Started): Promise<string[]> {
  expect(await service.stop()).toBe(0);
  const records = await kafka.read(topic);
  return records.map(({ value }) => (JSON.parse(value!.toString()) as { event_id: string }).event_id).sort();
}

describe("SCHEMA_MODE=enforce", () => {
  test(
    "422 with pointers for one event, a result for each of a batch; only valid events are stored",
    async () => {
      await using started = await start();
      const { service } = started;
      const single = await service.post("/register_event", { event_type: "order", payload: { id: 7 } });
      expect(single.status).toBe(422);
      expect(single.headers.get("content-type")).toBe("application/problem+json");
      expect(await single.json()).toMatchObject({
        code: "schema_violation",
        type: "/problems/schema_violation",
        errors: [{ pointer: "/payload/id", message: "must be of type string" }],
      });
      const events = [
        { event_id: "a", event_type: "order", payload: { id: "1" } },
        { event_id: "b", event_type: "order", payload: {} },
        { event_id: "c", event_type: "without a schema" },
        { event_id: "d", event_type: "order", schema_version: 2, payload: { id: "1" } },
      ];
      for (const body of [JSON.stringify(events), events.map((event) => JSON.stringify(event)).join("\n")]) {
        const type = body.startsWith("[") ? "application/json" : "application/x-ndjson";
        const response = await service.post("/register_events?durability=stored", body, {
          "content-type": type,
        });
        expect(response.status).toBe(207);
        expect(await response.json()).toMatchObject({
          results: [
            { status: "stored", event_id: "a" },
            {
              status: "invalid",
              event_id: "b",
              code: "schema_violation",
              errors: [{ pointer: "/payload/id", message: "is required" }],
            },
            { status: "stored", event_id: "c" },
            { status: "invalid", event_id: "d", errors: [{ pointer: "/schema_version" }] },
          ],
        });
      }
      const metrics = await service.metrics();
      expect(metrics.get('ingest_schema_checks_total{result="invalid"}')).toBe(3);
      expect(metrics.get('ingest_schema_violations_total{event_type="order"}')).toBe(3);
      expect(metrics.get('ingest_schema_checks_total{result="unknown_version"}')).toBe(2);
      expect(metrics.get('ingest_schema_checks_total{result="unknown_type"}')).toBe(2);
      expect(await storedIds(started)).toEqual(["a", "a", "c", "c"]);
    },
    TIMEOUT_MS,
  );

  test(
    "the folder changes under load, with two workers: no request fails, every worker follows, what is 202 is stored",
    async () => {
      await using started = await start({ WORKERS: "2" });
      const { service, write } = started;
      const accepted: string[] = [];
      const statuses = new Set<number>();
      let isOver = false;
      let count = 0;
      const sender = async () => {
        while (!isOver) {
          const event_id = `e-${count++}`;
          const event = { event_id, event_type: "order", payload: { id: "1" } };
          const { status } = await service.post("/register_event", event, { connection: "close" });
          statuses.add(status);
          if (status === 202) accepted.push(event_id);
        }
      };
      const senders = Array.from({ length: 4 }, sender);
      const loads = async (result: string) =>
        (await service.metrics()).get(`ingest_schema_loads_total{result="${result}"}`) ?? 0;

      write("order@2.json", { type: "nonsense" });
      await until("a failure in each worker", async () => (await loads("failed")) === 2);
      expect([...statuses]).toEqual([202]);
      write("order@2.json", { ...order, required: ["id", "currency"] });
      await until("the new schema in each worker", async () => (await loads("loaded")) === 4);
      const before = accepted.length;
      await until("rejections", () => statuses.has(422));
      started.remove("order@2.json");
      await until("the former schema in each worker", async () => (await loads("loaded")) === 6);
      await until("acceptance", () => accepted.length > before + 100);
      isOver = true;
      await Promise.all(senders);
      expect([...statuses].sort()).toEqual([202, 422]);
      expect(await storedIds(started)).toEqual(accepted.sort());
    },
    TIMEOUT_MS,
  );
});

test(
  "SCHEMA_MODE=observe takes and stores what enforce would reject, and counts it",
  async () => {
    await using started = await start({ SCHEMA_MODE: "observe", SCHEMA_UNKNOWN_TYPES: "reject" });
    const { service } = started;
    for (const event of [
      { event_id: "a", event_type: "order", payload: { id: 4_711 } },
      { event_id: "b", event_type: "other" },
    ])
      expect((await service.post("/register_event", event)).status).toBe(202);
    const metrics = await service.metrics();
    expect(metrics.get('ingest_schema_checks_total{result="invalid"}')).toBe(1);
    expect(metrics.get('ingest_schema_checks_total{result="unknown_type"}')).toBe(1);
    const line = await until("the log line", () =>
      service.lines.find(({ message }) => message === "events violate their schema"),
    );
    expect(line).toMatchObject({
      event_type: "order",
      rules: [{ keyword: "type", schema: "#/properties/id/type" }],
    });
    expect(JSON.stringify(service.lines)).not.toContain("4711");
    expect(await storedIds(started)).toEqual(["a", "b"]);
  },
  TIMEOUT_MS,
);

test(
  "the schemas in use are listed and shown, as JSON and as pages",
  async () => {
    await using started = await start();
    const { service, write } = started;
    write("pages%2Fview@3.json", { title: "<b>" });
    await until("the new schema", async () => (await service.fetch("/openapi/schemas/pages%2Fview")).ok);
    expect(await (await service.fetch("/openapi/schemas")).json()).toEqual({
      schemas: [
        { type: "order", versions: [1], href: "/openapi/schemas/order" },
        { type: "pages/view", versions: [3], href: "/openapi/schemas/pages%2Fview" },
      ],
    });
    const schema = await service.fetch("/openapi/schemas/order?version=1");
    expect(schema.headers.get("content-type")).toBe("application/schema+json");
    expect(await schema.json()).toEqual(order);
    for (const path of ["/openapi/schemas/other", "/openapi/schemas/order?version=2"])
      expect((await service.fetch(path)).status).toBe(404);
    const page = async (path: string) => {
      const response = await service.fetch(path, { headers: { accept: "text/html" } });
      expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
      return response.text();
    };
    expect(await page("/openapi/schemas")).toContain(
      '<a href="/openapi/schemas/pages%2Fview">pages/view</a>',
    );
    expect(await page("/openapi/schemas/pages%2Fview")).toContain("&lt;b&gt;");
    const { paths } = (await (await service.fetch("/openapi/json")).json()) as { paths: object };
    expect(Object.keys(paths)).toContain("/openapi/schemas/{type}");
  },
  TIMEOUT_MS,
);

test(
  "with a schema registry: 422 by its schema, the wire format in records, which the consumer reads; stop while it waits",
  async () => {
    await using registry = startFakeRegistry({ user: "me", password: "secret" });
    const id = registry.register("payment", {
      type: "object",
      required: ["event_id", "timestamp", "payload"],
      properties: { payload: { type: "object", required: ["amount"] } },
    });
    const env = {
      SCHEMA_REGISTRY_URL: registry.url,
      SCHEMA_REGISTRY_USER: "me",
      SCHEMA_REGISTRY_PASSWORD: "secret",
      SCHEMA_WIRE_FORMAT: "true",
      CLOUDEVENTS_OUTPUT: "event",
    };
    await using started = await start(env);
    const { service, topic } = started;
    const post = async (event: object) =>
      (await service.post("/register_event?durability=durable", event)).status;
    expect(await post({ event_id: "a", event_type: "payment", user_id: "u", payload: { amount: 1 } })).toBe(
      202,
    );
    expect(await post({ event_id: "b", event_type: "payment", payload: {} })).toBe(422);
    expect(await post({ event_id: "c", event_type: "order", user_id: "u", payload: { id: "1" } })).toBe(202);
    expect(await service.stop()).toBe(0);
    const values = (await kafka.read(topic)).map(({ value }) => value!);
    const prefixed = values.find((value) => value[0] === 0)!;
    expect(values).toHaveLength(2);
    expect(prefixed.readUInt32BE(1)).toBe(id);
    expect(JSON.parse(prefixed.subarray(5).toString())).toMatchObject({
      event_id: "a",
      payload: { amount: 1 },
    });

    await using consumer = startConsumer({ ...kafka.env, KAFKA_TOPIC: topic });
    await until("both events handled", () =>
      ["a", "c"].every((eventId) => consumer.lines.some(({ event_id }) => event_id === eventId)),
    );

    registry.isAvailable = false;
    await using waiting = new ProducerProcess({
      ...kafka.env,
      KAFKA_TOPIC: topic,
      SCHEMA_MODE: "enforce",
      ...env,
    });
    await until("the wait", () =>
      waiting.lines.some(({ message }) => message === "schema registry unavailable: waiting for it"),
    );
    expect(await waiting.stop()).toBe(0);
    expect(JSON.stringify([...service.lines, ...waiting.lines])).not.toContain("secret");
  },
  TIMEOUT_MS,
);
