// TLS and SASL against a real broker that requires both. The broker is this file's own.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { type Broker, freePort, startBroker } from "@ingest/broker";
import {
  buildInfo,
  createAdmin,
  createProducer,
  type KafkaError,
  producerSettings,
  readTopic,
  toClientConfig,
} from "@ingest/kafka";
import { parseSettings } from "@ingest/service";
import { type TemporaryFolder, temporaryFolder } from "@ingest/testkit";
import { $ } from "bun";

const features = buildInfo().features;
/** Certificates are created with the openssl command; the addon must have been built with TLS and SASL. */
const canRun = Bun.which("openssl") !== null && features.includes("ssl") && features.includes("sasl_scram");

describe.skipIf(!canRun)("a broker that requires TLS and SASL", () => {
  let folder: TemporaryFolder;
  let broker: Broker;
  let bootstrapServers: string;
  beforeAll(async () => {
    folder = temporaryFolder("kafka-secure");
    await createCertificates(folder.path);
    const [plain, secure, controller] = [await freePort(), await freePort(), await freePort()];
    bootstrapServers = `127.0.0.1:${secure}`;
    broker = await startBroker({
      port: plain,
      properties: {
        listeners: `PLAINTEXT://127.0.0.1:${plain},SASL_SSL://127.0.0.1:${secure},CONTROLLER://127.0.0.1:${controller}`,
        "advertised.listeners": `PLAINTEXT://127.0.0.1:${plain},SASL_SSL://127.0.0.1:${secure}`,
        "controller.quorum.voters": `1@127.0.0.1:${controller}`,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": join(folder.path, "broker.pem"),
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_ssl.plain.sasl.jaas.config":
          'org.apache.kafka.common.security.plain.PlainLoginModule required user_ingest="right";',
      },
    });
  }, 120_000);
  afterAll(async () => {
    await broker?.[Symbol.asyncDispose]();
    folder[Symbol.dispose]();
  });

  const clientConfig = (extra: Record<string, string> = {}) =>
    toClientConfig(
      parseSettings(producerSettings, {
        KAFKA_BOOTSTRAP_SERVERS: bootstrapServers,
        KAFKA_SECURITY_PROTOCOL: "sasl_ssl",
        KAFKA_SASL_MECHANISM: "PLAIN",
        KAFKA_SASL_USERNAME: "ingest",
        KAFKA_SASL_PASSWORD: "right",
        KAFKA_SSL_CA_LOCATION: join(folder.path, "ca.crt"),
        ...extra,
      }),
      "producer",
    );

  test("a client with the CA certificate and the password writes and reads", async () => {
    const topic = "secure";
    const admin = await createAdmin({ config: clientConfig() });
    await admin.ensureTopic({ topic, partitions: 1, replicationFactor: 1 });
    await admin.close();
    const producer = createProducer({ config: clientConfig(), onOutcome() {} });
    await producer.connect(10_000);
    producer.produce({ topic, key: "k", value: Buffer.from("secret") });
    expect(await producer.close(10_000)).toEqual({ undelivered: 0 });
    const { value } = await readTopic({ config: clientConfig(), topic }).next();
    expect(value?.[0]?.value?.toString()).toBe("secret");
  }, 60_000);

  test("certificates can be given as PEM text", async () => {
    const pem = await Bun.file(join(folder.path, "ca.crt")).text();
    const config = clientConfig({ KAFKA_SSL_CA_LOCATION: "", KAFKA_SSL_CA_PEM: pem });
    const producer = createProducer({ config, onOutcome() {} });
    await producer.connect(10_000);
    await producer.close(1_000);
  }, 30_000);

  test.each([
    ["a wrong password", { KAFKA_SASL_PASSWORD: "wrong" }, "authentication"],
    [
      "a mechanism that the broker does not support",
      { KAFKA_SASL_MECHANISM: "SCRAM-SHA-256" },
      "authentication",
    ],
    ["a broker whose certificate another CA has signed", { KAFKA_SSL_CA_LOCATION: "other.crt" }, "tls"],
  ])(
    "%s: rejected, with the reason",
    async (_, extra, code) => {
      const location =
        "KAFKA_SSL_CA_LOCATION" in extra ? { KAFKA_SSL_CA_LOCATION: join(folder.path, "other.crt") } : {};
      const errors: KafkaError[] = [];
      const producer = createProducer({
        config: clientConfig({ ...extra, ...location }),
        onOutcome() {},
        onError: (error) => errors.push(error),
      });
      await expect(producer.connect(2_000)).rejects.toMatchObject({ code });
      expect(errors.map((error) => error.code)).toContain(code as KafkaError["code"]);
      await producer.close(1_000);
    },
    30_000,
  );
});

/** Creates a CA, the broker's key and certificate in Kafka's PEM layout, and an unrelated CA. */
async function createCertificates(folder: string): Promise<void> {
  const run = new $.Shell().cwd(folder);
  for (const ca of ["ca", "other"])
    await run`openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=${ca} -keyout ${ca}.key -out ${ca}.crt`.quiet();
  await run`openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout broker.key -out broker.csr`.quiet();
  await Bun.write(join(folder, "names"), "subjectAltName=IP:127.0.0.1,DNS:localhost");
  await run`openssl x509 -req -in broker.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 1 -extfile names -out broker.crt`.quiet();
  const parts = ["broker.key", "broker.crt", "ca.crt"].map((name) => Bun.file(join(folder, name)).text());
  await Bun.write(join(folder, "broker.pem"), (await Promise.all(parts)).join(""));
  await chmod(join(folder, "broker.pem"), 0o600);
}
