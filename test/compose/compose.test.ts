import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { brokerResponds } from "@ingest/broker";
import { docker, Stack } from "./stack.ts";

const minute = 60_000;
const events = Number(process.env.COMPOSE_TEST_EVENTS ?? 100_000);

describe("compose.yaml", () => {
  let stack: Stack;

  beforeAll(async () => {
    stack = await Stack.create();
    await stack.must("up", "--build", "-d", "--wait");
  }, 12 * minute);

  afterAll(() => stack.remove(), 2 * minute);

  test("starts all services healthy", async () => {
    const rows = (await stack.must("ps", "--format", "json")).trim().split("\n");
    const states = rows.map((row) => JSON.parse(row) as { Service: string; Health: string });
    expect(Object.fromEntries(states.map(({ Service, Health }) => [Service, Health]))).toEqual({
      kafka: "healthy",
      producer: "healthy",
      consumer: "healthy",
    });
  });

  test("publishes the producer's API and Kafka to the host", async () => {
    const response = await fetch(`${stack.producerUrl}/register_event`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ event_type: "page_view", user_id: "u-1" }),
    });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ status: "accepted", event_id: expect.any(String) });
    expect(await brokerResponds(stack.kafkaPort)).toBe(true);
  });

  test("no container's log grows without bound", async () => {
    const ids = (await stack.must("ps", "-q")).trim().split("\n");
    const { stdout } = await docker(["inspect", "-f", "{{json .HostConfig.LogConfig}}", ...ids]);
    for (const line of stdout.trim().split("\n"))
      expect(JSON.parse(line).Config).toMatchObject({ "max-size": "50m", "max-file": "4" });
  });

  test("the services run without root and without a compiler", async () => {
    for (const service of ["producer", "consumer"]) {
      expect((await stack.must("exec", "-T", service, "id", "-un")).trim()).toBe("bun");
      const compilers = await stack.run("exec", "-T", service, "sh", "-c", "command -v g++ cc make");
      expect(compilers.stdout).toBe("");
    }
  });

  test(
    "every accepted event is in the topic and in the consumer's log",
    async () => {
      const { exitCode, report } = await stack.bench("--requests", String(events));
      expect(report.events.accepted).toBe(events);
      expect(report.verification).toMatchObject({
        accepted: events,
        stored: events,
        missing: 0,
        duplicated: 0,
      });
      expect(exitCode).toBe(0);
      const log = await stack.untilLogged(report.runId, events, 2 * minute);
      expect(log.eventIds.size).toBe(events);
      expect([...log.linesByContainer.values()]).toEqual([events]);
    },
    5 * minute,
  );

  test(
    "three consumers share the partitions",
    async () => {
      await stack.must("up", "-d", "--wait", "--no-recreate", "--scale", "consumer=3");
      const { report } = await stack.bench("--requests", String(events));
      expect(report.verification).toMatchObject({ stored: events, missing: 0 });
      const log = await stack.untilLogged(report.runId, events, 2 * minute);
      expect(log.eventIds.size).toBe(events);
      expect(log.linesByContainer.size).toBe(3);
      expect(Math.min(...log.linesByContainer.values())).toBeGreaterThan(0);
    },
    5 * minute,
  );

  test(
    "a restart of Kafka loses no accepted event, and restarts no other container",
    async () => {
      const before = await startTimes(stack);
      const running = stack.bench("--duration", "60s", "--rate", "200");
      const accepted = await stack.acceptedEvents();
      await stack.untilAccepted(accepted + 500, minute);
      await stack.must("restart", "kafka");
      // Events were accepted while Kafka was unavailable, and still are.
      await stack.untilAccepted((await stack.acceptedEvents()) + 100, minute);
      const { report } = await running;
      expect(report.events.accepted).toBeGreaterThan(0);
      expect(report.verification).toMatchObject({ missing: 0 });
      const log = await stack.untilLogged(report.runId, report.events.accepted, 2 * minute);
      expect(log.eventIds.size).toBeGreaterThanOrEqual(report.events.accepted);
      expect(await startTimes(stack)).toEqual(before);
    },
    6 * minute,
  );

  test(
    "the services exit with 0 when they are stopped",
    async () => {
      const ids = (await stack.must("ps", "-q", "producer", "consumer")).trim().split("\n");
      await stack.must("stop", "producer", "consumer");
      for (const id of ids) {
        const { stdout } = await docker(["inspect", "-f", "{{.State.ExitCode}} {{.State.OOMKilled}}", id]);
        expect(stdout.trim()).toBe("0 false");
      }
    },
    3 * minute,
  );

  test(
    "down removes all containers, and all volumes but the named ones, which -v removes",
    async () => {
      const ids = (await stack.must("--profile", "bench", "ps", "-a", "-q")).trim().split("\n");
      const mounts = (await docker(["inspect", "-f", "{{range .Mounts}}{{.Name}} {{end}}", ...ids])).stdout;
      const anonymous = mounts.match(/\b[0-9a-f]{64}\b/g);
      expect(anonymous).toBeNull();
      await stack.must("--profile", "bench", "down", "-v", "--timeout", "20");
      const label = `label=com.docker.compose.project=${stack.project}`;
      expect((await docker(["ps", "-aq", "--filter", label])).stdout).toBe("");
      expect((await docker(["volume", "ls", "-q", "--filter", label])).stdout).toBe("");
    },
    2 * minute,
  );
});

/** When each producer and consumer container was last started. */
async function startTimes(stack: Stack): Promise<string[]> {
  const ids = (await stack.must("ps", "-q", "producer", "consumer")).trim().split("\n").sort();
  const { stdout } = await docker(["inspect", "-f", "{{.Name}} {{.State.StartedAt}}", ...ids]);
  return stdout.trim().split("\n");
}
