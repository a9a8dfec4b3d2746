// What `docker compose` makes of .env and of the files in deploy/compose. Starts no container.
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@ingest/testkit";
import { docker } from "./stack.ts";

const external = ["-f", "compose.yaml", "-f", "deploy/compose/external-kafka.yaml"];

interface Service {
  environment: Record<string, string>;
  ports?: { target: number; published: string }[];
  depends_on?: Record<string, unknown>;
}

/** The effective configuration. @throws Error with what `docker compose` wrote */
async function servicesOf(env: string, files: string[] = []): Promise<Record<string, Service>> {
  using folder = temporaryFolder("compose-env");
  const file = join(folder.path, ".env");
  writeFileSync(file, env);
  const { exitCode, stdout, stderr } = await docker([
    ...["compose", ...files, "--env-file", file],
    ...["config", "--format", "json"],
  ]);
  if (exitCode !== 0) throw new Error(stderr);
  return JSON.parse(stdout).services;
}

test("without .env, the services use the Kafka of compose.yaml and the usual ports", async () => {
  const { producer, consumer } = await servicesOf("");
  expect(producer!.environment).toMatchObject({ KAFKA_BOOTSTRAP_SERVERS: "kafka:9092", PORT: "3000" });
  expect(producer!.ports).toMatchObject([{ target: 3000, published: "3000" }]);
  expect(consumer!.environment).toMatchObject({ KAFKA_BOOTSTRAP_SERVERS: "kafka:9092", HEALTH_PORT: "3001" });
});

test(".env sets addresses and ports", async () => {
  const env = "KAFKA_BOOTSTRAP_SERVERS=broker-1:9092,broker-2:9092\nPORT=8080\nHEALTH_PORT=4001\n";
  const { producer, consumer } = await servicesOf(env);
  expect(producer!.environment).toMatchObject({
    KAFKA_BOOTSTRAP_SERVERS: "broker-1:9092,broker-2:9092",
    PORT: "8080",
  });
  expect(producer!.ports).toMatchObject([{ target: 8080, published: "8080" }]);
  expect(consumer!.environment).toMatchObject({
    KAFKA_BOOTSTRAP_SERVERS: "broker-1:9092,broker-2:9092",
    HEALTH_PORT: "4001",
  });
});

test("PRODUCER_HOST_PORT sets the port of the host alone", async () => {
  const { producer } = await servicesOf("PRODUCER_HOST_PORT=80\n");
  expect(producer!.ports).toMatchObject([{ target: 3000, published: "80" }]);
});

test("with an external Kafka, none is started and none is waited for", async () => {
  const services = await servicesOf("KAFKA_BOOTSTRAP_SERVERS=broker:9092\n", external);
  expect(Object.keys(services).sort()).toEqual(["consumer", "producer"]);
  for (const { environment, depends_on } of Object.values(services)) {
    expect(environment.KAFKA_BOOTSTRAP_SERVERS).toBe("broker:9092");
    expect(depends_on).toBeUndefined();
  }
});

test("an external Kafka without an address is an error that names the variable", async () => {
  await expect(servicesOf("", external)).rejects.toThrow(
    /KAFKA_BOOTSTRAP_SERVERS.*host:port of your brokers/s,
  );
});
