// The built client on Bun and on Node, with a producer that is killed and restarted under it, and a real Kafka.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { type ProducerProcess, startProducer } from "@ingest/testkit/service";
import { buildPackage } from "../../packages/client/build/package.ts";

const TIMEOUT_MS = 180_000;
const EVENTS = 2_000;
const KILLS = 3;
const root = join(import.meta.dir, "../..");
const folder = temporaryFolder("client");
let kafka: KafkaFixture;

beforeAll(async () => {
  await buildPackage(join(folder.path, "node_modules/@ingest/client"));
  kafka = await KafkaFixture.shared();
}, TIMEOUT_MS);
afterAll(async () => {
  await kafka?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

function freePort(): number {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port } = server;
  void server.stop(true);
  return port!;
}

/** Tracks numbered events from `first` on, and prints each number once the event is queued. */
const program = `
  import { writeSync } from "node:fs";
  import { createClient } from "@ingest/client";
  import { createFileStore } from "@ingest/client/file";
  const [url, file, first] = process.argv.slice(2);
  const client = createClient({
    url, durability: "durable", lingerMs: 20, maxBatchEvents: 50, backoffMs: 50, maxBackoffMs: 500,
    requestTimeoutMs: 5_000, store: createFileStore(file),
  });
  for (let i = Number(first); i < ${EVENTS}; i++) {
    const { status } = client.track("t", { i }, { eventId: "event-" + i, userId: "user-" + (i % 5) });
    if (status !== "queued") throw new Error(status);
    writeSync(1, i + "\\n");
    if (i % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { pending } = await client.close({ timeoutMs: 60_000 });
  writeSync(1, JSON.stringify({ pending, ...client.stats() }) + "\\n");
`;

function startClient(runtime: string, url: string, file: string, first: number) {
  const path = join(folder.path, "program.mjs");
  writeFileSync(path, program);
  const child = Bun.spawn([runtime, path, url, file, String(first)], { stdout: "pipe", stderr: "inherit" });
  const lines: string[] = [];
  const ended = (async () => {
    let rest = "";
    for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + chunk).split("\n");
      rest = parts.pop()!;
      lines.push(...parts);
    }
    return child.exited;
  })();
  return { child, lines, ended };
}

describe.each([
  ["Bun", process.execPath],
  ["Node", "node"],
])("on %s", (_, runtime) => {
  test(
    "no event is missing, and each user's are in order, after the producer and the client were killed",
    async () => {
      const topic = await kafka.createTopic(3);
      using journal = temporaryFolder("journal");
      const port = freePort();
      const start = () =>
        startProducer({
          env: { ...kafka.env, KAFKA_TOPIC: topic, PORT: String(port) },
          journalDir: journal.path,
        });
      const file = join(folder.path, `events-${topic}.log`);
      const url = `http://127.0.0.1:${port}`;
      let producer: ProducerProcess = await start();
      try {
        let client = startClient(runtime, url, file, 0);
        let next = 0;
        for (let kill = 0; kill < KILLS; kill++) {
          const target = next + Math.floor(EVENTS / (KILLS + 2));
          await until(`event ${target}`, () => Number(client.lines.at(-1) ?? 0) >= target, 60_000);
          producer.kill("SIGKILL");
          await producer.exited;
          if (kill === 1) {
            client.child.kill("SIGKILL");
            await client.ended;
            next = Number(client.lines.at(-1)) + 1;
            client = startClient(runtime, url, file, next);
          } else next = target;
          producer = await start();
        }
        expect(await client.ended).toBe(0);
        expect(JSON.parse(client.lines.at(-1)!)).toMatchObject({ pending: 0, queuedEvents: 0, dropped: 0 });
        const expected = Array.from({ length: EVENTS }, (_, i) => `event-${i}`);
        await until(
          "all events in Kafka",
          async () => new Set(await kafka.readEventIds(topic)).size >= EVENTS,
        );
        const stored = new Set(await kafka.readEventIds(topic));
        expect([...stored].sort()).toEqual(expected.sort());
        for (let user = 0; user < 5; user++) {
          const numbers = [...stored].map((id) => Number(id.slice(6))).filter((i) => i % 5 === user);
          expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
        }
      } finally {
        await producer[Symbol.asyncDispose]();
      }
    },
    TIMEOUT_MS,
  );

  test(
    "the README's example runs",
    async () => {
      const topic = await kafka.createTopic(1);
      await using producer = await startProducer({ env: { ...kafka.env, KAFKA_TOPIC: topic } });
      const readme = await Bun.file(join(root, "packages/client/README.md")).text();
      const section = readme.split("## Bun and Node")[1]!;
      const example = /```ts\n(.*?)```/s.exec(section)![1]!.replace("http://localhost:3000", producer.url);
      expect(example).toContain(producer.url);
      const path = join(folder.path, "example.mjs");
      writeFileSync(path, example);
      const ran = Bun.spawnSync([runtime, path], { cwd: mkdir(join(folder.path, topic)) });
      expect(`${ran.stdout}${ran.stderr}`).toBe("");
      expect(ran.exitCode).toBe(0);
      await until("the event", async () => (await kafka.countRecords(topic)) === 1);
      const [record] = await kafka.read(topic);
      expect(JSON.parse(record!.value!.toString())).toMatchObject({
        event_type: "order.created",
        user_id: "user-42",
        payload: { total: 12 },
      });
    },
    TIMEOUT_MS,
  );
});

function mkdir(path: string): string {
  mkdirSync(path, { recursive: true });
  return path;
}
