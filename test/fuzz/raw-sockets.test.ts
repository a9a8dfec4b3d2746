// Malformed HTTP: truncated, oversized, fragmented, pipelined, with invalid lengths, with random bytes. FUZZ_SEED repeats
// a run.
import { expect, test } from "bun:test";
import { connect } from "node:net";
import { Random } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { type ProducerProcess, startProducer } from "@ingest/testkit/service";

const seed = Number(process.env.FUZZ_SEED ?? 1);
const REQUESTS = 400;
/** Between the pieces of a slow request. */
const PAUSE_MS = 30;
/** A connection that has been silent for this long is closed, ms. */
const QUIET_MS = 300;
/** The deadline for an expected response. */
const RESPONSE_WITHIN_MS = 30_000;

const random = new Random(seed);

const body = '{"event_type":"raw","payload":{"text":"значение"}}';
const bodyBytes = Buffer.byteLength(body);
const request = (length: number | string = bodyBytes, content = body, more = "") =>
  `POST /register_event HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n${more}\r\n${content}`;

/** The bytes of each kind of request, in the pieces in which they are written. */
const shapes = {
  whole: () => [request()],
  "truncated anywhere": () => [Buffer.from(request()).subarray(0, random.below(request().length))],
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
  "pipelined, the last one truncated": () => [request().repeat(3) + request().slice(0, random.below(80))],
  "longer than content-length": () => [request(random.below(bodyBytes))],
  "shorter than content-length": () => [request(bodyBytes + 1 + random.below(1000))],
  "an invalid content-length": () => [
    request(random.pick(["-1", "1e3", "0x10", "", "99999999999999999999", "5, 5", "a"])),
  ],
  "two content-lengths": () => [request(bodyBytes, body, `content-length: ${random.below(100)}\r\n`)],
  "content-length and chunked": () => [request(bodyBytes, body, "transfer-encoding: chunked\r\n")],
  "invalid chunks": () => [
    `POST /register_event HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${random.pick(["zz\r\n", "-5\r\nabc", "ffffffffffffffff\r\n", "5\r\nab", "0\r\n\r\n", "3\r\nabcdef\r\n"])}`,
  ],
  "a header without an end": () => [
    `POST /register_event HTTP/1.1\r\nhost: ${"x".repeat(1 + random.below(200_000))}`,
  ],
  "a head over the limit": () => [
    request(bodyBytes, body, `x: ${"y".repeat(16_384 + random.below(16_000))}\r\n`),
  ],
  "many headers": () => [request(bodyBytes, body, "x: y\r\n".repeat(1 + random.below(2_000)))],
  "a long path": () => [`GET /${"a".repeat(1 + random.below(100_000))} HTTP/1.1\r\nhost: x\r\n\r\n`],
  "an invalid method": () => [
    request().replace("POST", random.pick(["", "POST POST", "pöst", "\0", "G E T"])),
  ],
  "an invalid version": () => [
    request().replace("HTTP/1.1", random.pick(["HTTP/9.9", "HTTP", "", "HTCPCP/1.0"])),
  ],
  "flipped bits": () => {
    const bytes = Buffer.from(request());
    for (let n = 1 + random.below(8); n > 0; n--) bytes[random.below(bytes.length)]! ^= 1 << random.below(8);
    return [bytes];
  },
  "random bytes": () => [
    Buffer.from(Array.from({ length: 1 + random.below(5_000) }, () => random.below(256))),
  ],
  nothing: () => [],
} satisfies Record<string, () => (string | Buffer)[]>;
const names = Object.keys(shapes) as (keyof typeof shapes)[];

/** The statuses of the requests whose outcome does not depend on chance. */
const expected: Partial<Record<keyof typeof shapes, number>> = {
  whole: 202,
  "in single bytes": 202,
  "in pieces": 202,
  slowly: 202,
  "a head over the limit": 431,
};

/** Sends one request, and closes the connection once it is silent. @returns the statuses of all responses */
function send(port: number, name: keyof typeof shapes): Promise<number[]> {
  const pieces: readonly (string | Buffer)[] = shapes[name]();
  const pauseMs = name === "slowly" ? PAUSE_MS : 0;
  return new Promise((resolve) => {
    let received = "";
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const end = () => {
      socket.destroy();
      resolve([...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1])));
    };
    socket.setTimeout(name in expected ? RESPONSE_WITHIN_MS : QUIET_MS, end);
    socket.on("error", end);
    socket.on("close", end);
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
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

async function expectAccepted(producer: ProducerProcess): Promise<void> {
  const response = await producer.post("/register_event", { event_type: "right after" });
  expect(response.status).toBe(202);
}

test(`${REQUESTS} malformed requests, seed ${seed}: no 5xx, no crash, and the next event is accepted`, async () => {
  await using kafka = await KafkaFixture.shared();
  await using producer = await startProducer({ env: { ...kafka.env, KAFKA_TOPIC: kafka.topicName() } });
  const port = Number(new URL(producer.url).port);
  let asExpected = 0;
  for (let n = 0; n < REQUESTS; n += names.length) {
    const responses = await Promise.all(
      names.map(async (name) => ({
        name,
        statuses: await send(port, name),
      })),
    );
    for (const { name, statuses } of responses) {
      expect(
        // 505 is the right status for an unsupported version, 501 for a method that is too long.
        statuses.filter((status) => status >= 500 && status !== 501 && status !== 505),
        `${name}: ${statuses}`,
      ).toEqual([]);
      const status = expected[name];
      if (status === undefined) continue;
      expect(statuses, name).toEqual([status]);
      asExpected++;
    }
    await expectAccepted(producer);
  }
  expect(asExpected).toBe(Math.ceil(REQUESTS / names.length) * Object.keys(expected).length);
  expect(producer.lines.filter(({ level }) => level === "error" || level === "fatal")).toEqual([]);
  expect((await fetch(`${producer.url}/health/live`)).status).toBe(200);
}, 120_000);
