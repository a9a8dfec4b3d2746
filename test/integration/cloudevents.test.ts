// CloudEvents over a real socket to a real Kafka, and read back: by the official SDK's Kafka binding, and by the consumer.
import { afterAll, describe, expect, test } from "bun:test";
import { freePort } from "@ingest/broker";
import type { ConsumedRecord } from "@ingest/kafka";
import { temporaryFolder, until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { startConsumer, startProducer, startReplay } from "@ingest/testkit/service";
import { CloudEvent, type CloudEventV1, emitterFor, HTTP, Kafka, type Message, Mode } from "cloudevents";

const TIMEOUT_MS = 120_000;
const kafka = await KafkaFixture.shared();
afterAll(() => kafka[Symbol.asyncDispose]());

const attributes = {
  source: "/shop",
  time: "2026-01-31T12:00:00.123Z",
  partitionkey: "customer 7",
  tenant: "a",
};

function headersOf({ headers }: ConsumedRecord): Record<string, string> {
  return Object.fromEntries(headers.map(([name, value]) => [name, String(value)]));
}

function readBySdk(record: ConsumedRecord): CloudEventV1<unknown> {
  const { key, value } = record;
  const message = { key: key?.toString(), value: value!.toString(), headers: headersOf(record), body: "" };
  return Kafka.toEvent(message as unknown as Message) as CloudEventV1<unknown>;
}

/** The SDK's emitter, which sends to this URL. */
function emitter(url: string, mode: Mode) {
  return emitterFor(
    async ({ headers, body }) => {
      const response = await fetch(url, {
        method: "POST",
        headers: headers as Record<string, string>,
        body: body as string,
      });
      expect(response.status).toBe(201);
    },
    { mode },
  );
}

describe.each(["binary", "structured"] as const)("records in the %s mode", (output) => {
  test(
    "what the SDK emits in either mode, and in a batch, its Kafka binding reads back; the consumer handles all",
    async () => {
      const { topic, env } = await kafka.createTopicAndGroup(1);
      await using producer = await startProducer({ env: { ...env, CLOUDEVENTS_OUTPUT: output } });
      const stored = `${producer.url}/register_event?durability=stored`;
      const data = { n: 1, s: "é" };
      await emitter(
        stored,
        Mode.BINARY,
      )(
        new CloudEvent({
          ...attributes,
          id: "b",
          type: "t.binary",
          datacontenttype: "application/json",
          data,
        }),
      );
      await emitter(
        stored,
        Mode.STRUCTURED,
      )(new CloudEvent({ ...attributes, id: "s", type: "t.structured", data }));
      const batch = ["1", "2"].map((id) => ({
        specversion: "1.0",
        id,
        type: "t.batch",
        ...attributes,
        data,
      }));
      const response = await producer.post("/register_events?durability=stored", JSON.stringify(batch), {
        "content-type": "application/cloudevents-batch+json",
      });
      expect(response.status).toBe(201);

      const records = await kafka.read(topic);
      for (const [index, id] of ["b", "s", "1", "2"].entries()) {
        const record = records[index]!;
        expect(record.key?.toString()).toBe("customer 7");
        expect(readBySdk(record)).toMatchObject({ ...attributes, id, specversion: "1.0", data });
      }

      await using consumer = startConsumer(env);
      await until("all handled", () => consumer.events.length === 4);
      expect(
        consumer.events.map(({ event_id, event_type, user_id, payload }) => [
          event_id,
          event_type,
          user_id,
          payload,
        ]),
      ).toEqual([
        ["b", "t.binary", "customer 7", data],
        ["s", "t.structured", "customer 7", data],
        ["1", "t.batch", "customer 7", data],
        ["2", "t.batch", "customer 7", data],
      ]);
      expect(consumer.events[0]).toMatchObject({ cloudevent: { source: "/shop", tenant: "a" } });
      expect(await consumer.stop()).toBe(0);
    },
    TIMEOUT_MS,
  );

  test(
    "Kafka unavailable: from the journal, headers and value are the same bytes",
    async () => {
      const direct = kafka.topicName();
      const journalled = kafka.topicName();
      const message = HTTP.binary(
        new CloudEvent({
          ...attributes,
          id: "j",
          type: "t",
          datacontenttype: "image/png",
          data: Buffer.from([0, 255, 10]),
        }),
      );
      const post = (url: string) =>
        fetch(`${url}/register_event?durability=durable`, {
          method: "POST",
          headers: message.headers as Record<string, string>,
          body: message.body as Uint8Array<ArrayBuffer>,
        });
      await using online = await startProducer({
        env: { ...kafka.env, KAFKA_TOPIC: direct, CLOUDEVENTS_OUTPUT: output },
      });
      expect((await post(online.url)).status).toBe(202);

      using folder = temporaryFolder("journal");
      const env = { KAFKA_TOPIC: journalled, CLOUDEVENTS_OUTPUT: output };
      await using offline = await startProducer({
        env: { ...env, KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${await freePort()}` },
        journalDir: folder.path,
        untilReady: false,
      });
      await until("the event taken", async () => (await post(offline.url)).status === 202);
      offline.kill("SIGTERM");
      expect(await offline.exited).toBe(0);
      await using replaying = await startProducer({ env: { ...env, ...kafka.env }, journalDir: folder.path });
      await until("the replay", async () => (await replaying.metrics()).get("ingest_delivered_total") === 1);
      online.kill("SIGTERM");
      expect(await online.exited).toBe(0);

      const [[expected], [replayed]] = await Promise.all([kafka.read(direct), kafka.read(journalled)]);
      expect(replayed!.headers).toEqual(expected!.headers);
      expect(replayed!.value).toEqual(expected!.value);
      expect(replayed!.key).toEqual(expected!.key);
    },
    TIMEOUT_MS,
  );
});

test(
  "dead letters of CloudEvents are replayed byte for byte, and the webhook gets them in the mode of their record",
  async () => {
    const { topic, env } = await kafka.createTopicAndGroup(1);
    const image = Buffer.from([0, 255, 10]);
    const binary = [
      ["content-type", "image/png"],
      ["ce_specversion", "1.0"],
      ["ce_id", "b"],
      ["ce_source", "/shop"],
      ["ce_type", "t"],
      ["ce_subject", "Euro € 100%"],
      ["trace", "kept"],
    ] as const;
    const structured = JSON.stringify({
      specversion: "1.0",
      id: "s",
      source: "/shop",
      type: "t",
      data: { n: 1 },
    });
    await kafka.write([
      { topic, key: "k", value: image, headers: binary, timestampMs: 1_700_000_000_000 },
      {
        topic,
        key: null,
        value: Buffer.from(structured),
        headers: [["content-type", "application/cloudevents+json; charset=UTF-8"]],
      },
    ]);
    let isBroken = true;
    const received: CloudEventV1<unknown>[] = [];
    const receiver = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      async fetch(request) {
        if (isBroken) return new Response("no", { status: 422 });
        const headers = request.headers.toJSON();
        const isBinary = headers["ce-id"] !== undefined;
        const body = isBinary ? Buffer.from(await request.arrayBuffer()) : await request.text();
        received.push(HTTP.toEvent({ headers, body }) as CloudEventV1<unknown>);
        return new Response();
      },
    });
    await using consumer = startConsumer({
      ...env,
      CONSUMER_HANDLER: "webhook",
      WEBHOOK_URL: receiver.url.href,
    });
    await until(
      "the dead letters",
      async () => (await consumer.metric("ingest_consumer_dead_letters_total")) === 2,
    );
    isBroken = false;
    await using replay = startReplay(env);
    expect({ code: await replay.exited, errors: replay.stderr }).toEqual({ code: 0, errors: "" });
    await until("both handled", () => received.length === 2);
    expect(await consumer.stop()).toBe(0);
    await receiver.stop(true);

    const b = received.find(({ id }) => id === "b")!;
    // The SDK does not decode header values.
    const subject = "Euro%20%E2%82%AC%20100%25";
    expect(b).toMatchObject({ source: "/shop", subject, datacontenttype: "image/png" });
    expect(Buffer.from(b.data as Buffer)).toEqual(image);
    expect(received.find(({ id }) => id === "s")).toMatchObject({ data: { n: 1 } });
    const records = await kafka.read(topic);
    expect(records).toHaveLength(4);
    for (const [first, again] of [
      [records[0]!, records[2]!],
      [records[1]!, records[3]!],
    ] as const) {
      expect(again.headers).toEqual(first.headers);
      expect(again.value).toEqual(first.value);
      expect(again.key).toEqual(first.key);
    }
    expect(records[2]!.timestampMs).toBe(1_700_000_000_000);
  },
  TIMEOUT_MS,
);

test(
  "a CloudEvent of 0.3 in the topic is a dead letter with its headers, named by its version",
  async () => {
    const { topic, env } = await kafka.createTopicAndGroup(1);
    const headers = [
      ["ce_specversion", Buffer.from("0.3")],
      ["ce_id", Buffer.from("old")],
    ] as const;
    await kafka.write([{ topic, key: null, value: Buffer.from("{}"), headers }]);
    await using consumer = startConsumer(env);
    await until("committed", async () => (await kafka.committed(env)) === 1);
    expect(await consumer.stop()).toBe(0);
    const [deadLetter] = await kafka.read(`${topic}.dead-letter`);
    expect(headersOf(deadLetter!)).toMatchObject({
      ce_specversion: "0.3",
      ce_id: "old",
      "dead-letter-cause": expect.stringContaining("send 1.0"),
    });
  },
  TIMEOUT_MS,
);
