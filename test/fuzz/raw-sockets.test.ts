// HTTP as no client should write it: cut off, too long, in pieces, several at once, with wrong lengths, with noise.
// Repeat a run with FUZZ_SEED.
import { expect, test } from "bun:test";
import { connect } from "node:net";
import { sharedBroker } from "@ingest/broker";
import { Random } from "@ingest/testkit";
import { type ProducerProcess, startProducer } from "../integration/producer-process.ts";

const seed = Number(process.env.FUZZ_SEED ?? 1);
const REQUESTS = 400;
/** Between the pieces of a slow request. */
const PAUSE_MS = 30;
/** How long a connection that says nothing more is watched before it is cut. */
const QUIET_MS = 300;
/** How long an answer that must come is waited for. */
const ANSWER_WITHIN_MS = 30_000;

const random = new Random(seed);

const body = '{"event_type":"raw","payload":{"text":"значение"}}';
const bodyBytes = Buffer.byteLength(body);
const request = (length: number | string = bodyBytes, content = body, more = "") =>
  `POST /register_event HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n${more}\r\n${content}`;

/** What goes over the wire, in the pieces in which it is written. */
const shapes = {
  whole: () => [request()],
  "cut off anywhere": () => [Buffer.from(request()).subarray(0, random.below(request().length))],
  "in single bytes": () => [...Buffer.from(request())].map((byte) => Buffer.from([byte])),
  "in pieces": () => {
    const bytes = Buffer.from(request());
    const at = random.below(bytes.length);
    return [bytes.subarray(0, at), bytes.subarray(at)];
  },
  slowly: () => {
    const bytes = Buffer.from(request());
    const cuts = Array.from({ length: 8 }, () => random.below(bytes.length)).toSorted((a, b) => a - b);
    return [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index]));
  },
  pipelined: () => [request().repeat(2 + random.below(20))],
  "pipelined, the last cut off": () => [request().repeat(3) + request().slice(0, random.below(80))],
  "longer than it says": () => [request(random.below(bodyBytes))],
  "shorter than it says": () => [request(bodyBytes + 1 + random.below(1000))],
  "a length that is none": () => [
    request(random.pick(["-1", "1e3", "0x10", "", "99999999999999999999", "5, 5", "a"])),
  ],
  "two lengths": () => [request(bodyBytes, body, `content-length: ${random.below(100)}\r\n`)],
  "a length and chunks": () => [request(bodyBytes, body, "transfer-encoding: chunked\r\n")],
  "chunks that are none": () => [
    `POST /register_event HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${random.pick(["zz\r\n", "-5\r\nabc", "ffffffffffffffff\r\n", "5\r\nab", "0\r\n\r\n", "3\r\nabcdef\r\n"])}`,
  ],
  "a header without end": () => [
    `POST /register_event HTTP/1.1\r\nhost: ${"x".repeat(1 + random.below(200_000))}`,
  ],
  "a head that is too large": () => [
    request(bodyBytes, body, `x: ${"y".repeat(16_384 + random.below(16_000))}\r\n`),
  ],
  "many headers": () => [request(bodyBytes, body, "x: y\r\n".repeat(1 + random.below(2_000)))],
  "a long address": () => [`GET /${"a".repeat(1 + random.below(100_000))} HTTP/1.1\r\nhost: x\r\n\r\n`],
  "a method that is none": () => [
    request().replace("POST", random.pick(["", "POST POST", "pöst", "\0", "G E T"])),
  ],
  "a version that is none": () => [
    request().replace("HTTP/1.1", random.pick(["HTTP/9.9", "HTTP", "", "HTCPCP/1.0"])),
  ],
  "bits turned over": () => {
    const bytes = Buffer.from(request());
    for (let n = 1 + random.below(8); n > 0; n--) bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
    return [bytes];
  },
  noise: () => [Buffer.from(Array.from({ length: 1 + random.below(5_000) }, () => random.below(256)))],
  nothing: () => [],
} satisfies Record<string, () => (string | Buffer)[]>;
const names = Object.keys(shapes) as (keyof typeof shapes)[];

/** What becomes of those that are not left to chance. */
const expected: Partial<Record<keyof typeof shapes, number>> = {
  whole: 202,
  "in single bytes": 202,
  "in pieces": 202,
  slowly: 202,
  "a head that is too large": 431,
};

/** Writes, waits until the server has nothing more to say, and ends. @returns the statuses of the answers */
function send(port: number, name: keyof typeof shapes): Promise<number[]> {
  const pieces: readonly (string | Buffer)[] = shapes[name]();
  const pauseMs = name === "slowly" ? PAUSE_MS : 0;
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const end = () => {
      socket.destroy();
      resolve([...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1])));
    };
    socket.setTimeout(name in expected ? ANSWER_WITHIN_MS : QUIET_MS, end);
    socket.on("error", end);
    socket.on("close", end);
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
      socket.setTimeout(QUIET_MS);
    });
    socket.on("connect", () => {
      const write = (at: number) => {
        if (at === pieces.length || socket.destroyed) return;
        socket.write(pieces[at]!);
        if (pauseMs > 0) setTimeout(write, pauseMs, at + 1);
        else write(at + 1);
      };
      write(0);
    });
  });
}

async function takesAnEvent(producer: ProducerProcess): Promise<void> {
  const answer = await producer.post("/register_event", { event_type: "right after" });
  expect(answer.status).toBe(202);
}

test(`${REQUESTS} requests that are none, seed ${seed}: never a 5xx, never a crash, and the next event is taken`, async () => {
  const { bootstrapServers } = await sharedBroker();
  await using producer = await startProducer({
    env: { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers, KAFKA_TOPIC: `raw-${crypto.randomUUID()}` },
  });
  const port = Number(new URL(producer.url).port);
  let asExpected = 0;
  for (let n = 0; n < REQUESTS; n += names.length) {
    const answers = await Promise.all(
      names.map(async (name) => ({
        name,
        statuses: await send(port, name),
      })),
    );
    for (const { name, statuses } of answers) {
      expect(
        // 505 is about the version, and right.
        statuses.filter((status) => status >= 500 && status !== 505),
        `${name}: ${statuses}`,
      ).toEqual([]);
      const status = expected[name];
      if (status === undefined) continue;
      expect(statuses, name).toEqual([status]);
      asExpected++;
    }
    await takesAnEvent(producer);
  }
  expect(asExpected).toBe(Math.ceil(REQUESTS / names.length) * Object.keys(expected).length);
  expect(producer.lines.filter(({ level }) => level === "error" || level === "fatal")).toEqual([]);
  expect((await fetch(`${producer.url}/health/live`)).status).toBe(200);
}, 120_000);
