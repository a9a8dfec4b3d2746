// HTTPS of a producer process, without Kafka: events wait in its journal.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, cpSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "@ingest/broker";
import {
  canCreateCertificates,
  createCertificate,
  RawSocket,
  type TemporaryFolder,
  temporaryFolder,
  until,
} from "@ingest/testkit";
import { type ProducerProcess, startProducer } from "@ingest/testkit/service";

type Certificate = ReturnType<typeof createCertificate>;

const EVENT = JSON.stringify({ event_type: "test" });

describe.skipIf(!canCreateCertificates)("HTTPS", () => {
  let folder: TemporaryFolder;
  let first: Certificate;
  let second: Certificate;
  beforeAll(() => {
    folder = temporaryFolder("producer-tls");
    first = createCertificate({ folder: folder.path, name: "first" });
    second = createCertificate({ folder: folder.path, name: "second" });
  });
  afterAll(() => folder[Symbol.dispose]());

  /** The certificate that is in use is a copy, so that it can be replaced. */
  function start(env: Record<string, string> = {}): Promise<ProducerProcess> {
    copyFileSync(first.certPath, join(folder.path, "live.crt"));
    copyFileSync(first.keyPath, join(folder.path, "live.key"));
    return startProducer({
      untilReady: false,
      env: {
        TLS_CERT: join(folder.path, "live.crt"),
        TLS_KEY: join(folder.path, "live.key"),
        KAFKA_BOOTSTRAP_SERVERS: "127.0.0.1:1",
        ...env,
      },
    });
  }

  function replaceWith({ certPath, keyPath }: Certificate): void {
    cpSync(certPath, join(folder.path, "live.crt"));
    cpSync(keyPath, join(folder.path, "live.key"));
  }

  const portOf = (producer: ProducerProcess) => new URL(producer.url).port;
  const post = (producer: ProducerProcess, ca: string | string[], keepalive = false) =>
    fetch(`https://127.0.0.1:${portOf(producer)}/register_event`, {
      method: "POST",
      headers: { "content-type": "application/json", prefer: "durability=durable" },
      body: EVENT,
      tls: { ca },
      keepalive,
    });

  test.each(["native", "bun"])("events are taken by the server %s", async (HTTP_SERVER) => {
    await using producer = await start({ HTTP_SERVER });
    expect((await post(producer, first.cert)).status).toBe(202);
  });

  test.each([1, 2])(
    "with %i workers, a certificate is replaced without a failed request",
    async (workers) => {
      const adminPort = workers === 1 ? "0" : String(await freePort());
      await using producer = await start({ WORKERS: String(workers), ADMIN_PORT: adminPort });
      const admin = `http://127.0.0.1:${producer.lines.find(({ adminPort }) => adminPort)!.adminPort}`;
      const expiries = async () =>
        (await (await fetch(`${admin}/metrics`)).text()).match(
          /^ingest_tls_certificate_expiry_timestamp_seconds (.*)$/m,
        )![1];
      expect(Number(await expiries())).toBeGreaterThan(Date.now() / 1_000);
      let sent = 0;
      let isOver = false;
      const failures: unknown[] = [];
      const load = Array.from({ length: 6 }, async (_, client) => {
        while (!isOver) {
          try {
            const response = await post(producer, [first.cert, second.cert], client % 2 === 0);
            if (response.status !== 202) failures.push(response.status);
            await response.arrayBuffer();
            sent++;
          } catch (error) {
            failures.push(error);
          }
        }
      });
      const reloads = (message: string) => producer.lines.filter((line) => line.message === message).length;
      for (const [round, certificate] of [second, first, second].entries()) {
        replaceWith(certificate);
        if (round === 1) producer.kill("SIGHUP");
        await producer.until("the reload", () => reloads("certificate reloaded") >= workers * (round + 1));
        const before = sent;
        await until("requests after it", () => sent >= before + 20);
      }
      cpSync(first.certPath, join(folder.path, "live.crt"));
      await producer.until(
        "the refusal",
        () => reloads("certificate is invalid: keeping the previous one") >= workers,
      );
      expect((await post(producer, second.cert)).status).toBe(202);
      isOver = true;
      await Promise.all(load);
      expect(failures).toEqual([]);
    },
    60_000,
  );

  test("ADMIN_PORT stays plain, and PORT has no health checks then", async () => {
    await using producer = await start({ ADMIN_PORT: "0" });
    const { adminPort } = producer.lines.find(({ adminPort }) => adminPort)!;
    expect((await fetch(`http://127.0.0.1:${adminPort}/health/live`)).status).toBe(200);
    const live = `https://127.0.0.1:${portOf(producer)}/health/live`;
    expect((await fetch(live, { tls: { ca: first.cert } })).status).toBe(404);
  });

  test.each([
    ["http", 200, 0],
    ["http", 503, 1],
    ["https", 200, 0],
    ["https", 503, 1],
  ])("the health check of the images: %s with status %i", async (scheme, status, exitCode) => {
    await using server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      ...(scheme === "https" && { tls: { cert: first.cert, key: first.key } }),
      fetch: ({ url }) => new Response("", { status: url.endsWith("/health/ready") ? status : 404 }),
    });
    const script = join(import.meta.dir, "../../deploy/images/health-check.sh");
    const args = [String(server.port), ...(scheme === "https" ? ["https"] : [])];
    const check = Bun.spawn(["bash", script, ...args], { stderr: "ignore" });
    expect(await check.exited).toBe(exitCode);
  });

  test("with TLS_CLIENT_CA, only clients with a certificate send events", async () => {
    await using producer = await start({ TLS_CLIENT_CA: second.certPath, ADMIN_PORT: "0" });
    const port = Number(portOf(producer));
    const request = `POST /register_event HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${EVENT.length}\r\nPrefer: durability=durable\r\nConnection: close\r\n\r\n${EVENT}`;
    using known = new RawSocket(port, { ca: first.cert, cert: second.cert, key: second.key });
    known.write(request);
    expect(await known.untilClosed()).toStartWith("HTTP/1.1 202");
    using unknown = new RawSocket(port, { ca: first.cert });
    unknown.write(request);
    expect(await unknown.untilClosed()).toBe("");
  });

  test.each([
    [{ TLS_KEY: () => second.keyPath }, "TLS_KEY: is not the key of the certificate in TLS_CERT"],
    [{ TLS_CERT: () => "/none.crt" }, 'TLS_CERT="/none.crt": must be the path of a readable file (ENOENT)'],
  ])("a wrong pair is named at the start", async (wrong, message) => {
    const env = Object.fromEntries(Object.entries(wrong).map(([name, value]) => [name, value!()]));
    await expect(start(env)).rejects.toThrow(message);
  });
});
