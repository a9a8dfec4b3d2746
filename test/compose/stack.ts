// compose.yaml as a user would run it, under a project name and ports of the test's own.
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@ingest/broker";
import type { Report } from "../../bench/src/report/schema.ts";

const root = join(import.meta.dir, "..", "..");

export interface CommandOutput {
  exitCode: number;
  stdout: string;
  stderr: string;
}

export class Stack {
  private constructor(
    readonly project: string,
    readonly kafkaPort: number,
    readonly producerPort: number,
  ) {}

  static async create(): Promise<Stack> {
    return new Stack(`ingest-test-${process.pid}`, await freePort(), await freePort());
  }

  get producerUrl(): string {
    return `http://127.0.0.1:${this.producerPort}`;
  }

  /** `docker compose …`; never throws for an exit code. */
  async run(...args: string[]): Promise<CommandOutput> {
    return docker(["compose", "-p", this.project, ...args], {
      KAFKA_HOST_PORT: String(this.kafkaPort),
      PRODUCER_HOST_PORT: String(this.producerPort),
    });
  }

  /** `docker compose …` that has to succeed. @throws Error with what it printed */
  async must(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(...args);
    if (exitCode !== 0) {
      throw new Error(`docker compose ${args.join(" ")}: exit code ${exitCode}\n${stderr.slice(-4_000)}`);
    }
    return stdout;
  }

  /** Removes containers, volumes and images, whatever is left of them. */
  async remove(): Promise<void> {
    await this.run("--profile", "bench", "down", "-v", "--timeout", "20");
    // `down --rmi` finds no images once the containers are gone.
    const label = `label=com.docker.compose.project=${this.project}`;
    const images = (await docker(["image", "ls", "-q", "--filter", label])).stdout
      .split("\n")
      .filter(Boolean);
    if (images.length > 0) await docker(["image", "rm", "-f", ...images]);
  }

  /** Fires the bench from its own container, with `--verify`. @throws Error when it leaves no report */
  async bench(...args: string[]): Promise<{ exitCode: number; report: Report }> {
    const folder = await mkdtemp(join(tmpdir(), "compose-bench-"));
    try {
      await chmod(folder, 0o777); // the container's user is not this one
      const { exitCode, stdout, stderr } = await this.run(
        ...["run", "--rm", "-T", "-v", `${folder}:/report`, "bench"],
        ...["--verify", "--json", "/report/report.json", ...args],
      );
      const file = Bun.file(join(folder, "report.json"));
      if (!(await file.exists()))
        throw new Error(`the bench left no report (exit code ${exitCode})\n${stdout}${stderr}`);
      return { exitCode, report: (await file.json()) as Report };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** How many lines each consumer container has logged about the events of a bench run, and of which events. */
  async consumerLog(
    runId: string,
  ): Promise<{ linesByContainer: Map<string, number>; eventIds: Set<string> }> {
    const containers = (await this.must("ps", "-a", "-q", "consumer")).split("\n").filter(Boolean);
    const eventIds = new Set<string>();
    const linesByContainer = new Map<string, number>();
    const pattern = new RegExp(`"event_id":"(${runId}-\\d+)"`);
    for (const container of containers) {
      const { stdout, stderr } = await docker(["logs", container]);
      let lines = 0;
      for (const line of `${stdout}${stderr}`.split("\n")) {
        const id = pattern.exec(line)?.[1];
        if (id === undefined) continue;
        lines++;
        eventIds.add(id);
      }
      linesByContainer.set(container, lines);
    }
    return { linesByContainer, eventIds };
  }

  /** Events that the producer has accepted since it started, by its metrics. */
  async acceptedEvents(): Promise<number> {
    const metrics = await (await fetch(`${this.producerUrl}/metrics`)).text();
    return Number(/^ingest_events_total\{outcome="accepted"\} (\d+)/m.exec(metrics)?.[1] ?? 0);
  }

  /** @throws Error when there aren't so many after `withinMs` */
  async untilAccepted(events: number, withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    while ((await this.acceptedEvents()) < events) {
      if (performance.now() > deadline)
        throw new Error(`not ${events} accepted events within ${withinMs} ms`);
      await Bun.sleep(200);
    }
  }

  /** Reads the consumers' logs until they tell of so many events of the run, or `withinMs` have passed. */
  async untilLogged(runId: string, events: number, withinMs: number) {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const log = await this.consumerLog(runId);
      if (log.eventIds.size >= events || performance.now() > deadline) return log;
      await Bun.sleep(500);
    }
  }
}

export async function docker(args: string[], env: Record<string, string> = {}): Promise<CommandOutput> {
  const child = Bun.spawn(["docker", ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exitCode, stdout, stderr };
}
