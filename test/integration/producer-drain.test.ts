// SIGTERM while clients send: every request that could not know of the stop gets its response.
import { afterAll, expect, test } from "bun:test";
import { RawSocket, until } from "@ingest/testkit";
import { KafkaFixture } from "@ingest/testkit/kafka";
import { type ProducerProcess, startProducer } from "@ingest/testkit/service";

const TIMEOUT_MS = 60_000;
const DELAY_MS = 1_500;
/** An idle connection is kept for half a second once the port is closed, however long it has been idle before. */
const IDLE_MS = 700;
const SPREAD_MS = 200;
const kafka = await KafkaFixture.shared();
afterAll(() => kafka[Symbol.asyncDispose]());

const start = (WORKERS: string, delayMs = DELAY_MS) =>
  startProducer({
    env: { ...kafka.env, KAFKA_TOPIC: kafka.topicName(), WORKERS, SHUTDOWN_DELAY_MS: String(delayMs) },
  });

const portOf = (service: ProducerProcess) => Number(new URL(service.url).port);

const BODY = '{"event_type":"drain"}';
const REQUEST = `POST /register_event HTTP/1.1\r\nHost: test\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`;

/** @returns whether the response announced the close of the connection */
async function exchange(socket: RawSocket, nth: number): Promise<boolean> {
  socket.write(REQUEST);
  await socket.untilReceived("HTTP/1.1 202", nth);
  return socket.received.includes("Connection: close");
}

test.each(["1", "2"])(
  "with WORKERS=%s: 1,000 open connections have each request answered that is sent before SIGTERM's delay is over",
  async (WORKERS) => {
    await using service = await start(WORKERS);
    const sockets = Array.from({ length: 1_000 }, () => new RawSocket(portOf(service)));
    expect(await Promise.all(sockets.map((socket) => exchange(socket, 1)))).not.toContain(true);
    // Spread around the signal, from well before it to the last moment of the delay.
    const exchanges = sockets.map(async (socket, index) => {
      await Bun.sleep((index / sockets.length) * DELAY_MS);
      let nth = 2;
      while (!(await exchange(socket, nth))) nth++;
      await socket.untilClosed();
      return socket.received.endsWith("}");
    });
    await Bun.sleep(DELAY_MS / 5);
    service.kill("SIGTERM");
    await until("a health check that reports the stop", async () => {
      const response = await service.fetch("/health/ready");
      return response.status === 503 && (await response.text()).includes("shutting_down");
    });
    expect(await Promise.all(exchanges)).not.toContain(false);
    expect(await service.exited).toBe(0);
  },
  TIMEOUT_MS,
);

test.each(["1", "2"])(
  "with WORKERS=%s and no delay: 1,000 requests on open connections around SIGTERM each have their response",
  async (WORKERS) => {
    await using service = await start(WORKERS, 0);
    const sockets = Array.from({ length: 1_000 }, () => new RawSocket(portOf(service)));
    await Promise.all(sockets.map((socket) => exchange(socket, 1)));
    await Bun.sleep(IDLE_MS);
    const counts = { answered: 0, closedBefore: 0, lost: 0 };
    const requests = sockets.map(async (socket, index) => {
      await Bun.sleep((index / sockets.length) * SPREAD_MS);
      if (socket.hasEnded) {
        counts.closedBefore++;
        return;
      }
      const isAnswered = await exchange(socket, 2).then(
        () => true,
        () => false,
      );
      counts[isAnswered ? "answered" : "lost"]++;
    });
    await Bun.sleep(SPREAD_MS / 4);
    service.kill("SIGTERM");
    await Promise.all(requests);
    expect(counts.lost).toBe(0);
    expect(counts.answered).toBeGreaterThan(0);
    expect(await service.exited).toBe(0);
  },
  TIMEOUT_MS,
);

test.each(["1", "2"])(
  "with WORKERS=%s: a new connection is refused, or its request is answered",
  async (WORKERS) => {
    await using service = await start(WORKERS);
    const port = portOf(service);
    const counts = { answered: 0, refused: 0, lost: 0 };
    const connectUntilRefused = async () => {
      while (counts.refused < CLIENTS) {
        using socket = new RawSocket(port);
        socket.write(REQUEST.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
        const received = await socket.untilClosed();
        const outcome = received.startsWith("HTTP/1.1 202")
          ? "answered"
          : socket.hasConnected
            ? "lost"
            : "refused";
        counts[outcome]++;
        if (outcome !== "answered") return;
      }
    };
    const CLIENTS = 40;
    const clients = Array.from({ length: CLIENTS }, connectUntilRefused);
    await until("some load", () => counts.answered > 200);
    service.kill("SIGTERM");
    await Promise.all(clients);
    expect(counts).toMatchObject({ lost: 0, refused: CLIENTS });
    expect(await service.exited).toBe(0);
  },
  TIMEOUT_MS,
);
