// compose.yaml as a user runs it, with a project name and ports of the test's own.
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "@ingest/broker";
import { temporaryFolder, until } from "@ingest/testkit";
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

  /** Runs `docker compose …`. A failure is in the exit code. */
  async run(...args: string[]): Promise<CommandOutput> {
    return docker(["compose", "-p", this.project, ...args], {
      KAFKA_HOST_PORT: String(this.kafkaPort),
      PRODUCER_HOST_PORT: String(this.producerPort),
    });
  }

  /** Runs `docker compose …`. @throws Error with its output when it fails */
  async must(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.run(...args);
    if (exitCode !== 0) {
      throw new Error(`docker compose ${args.join(" ")}: exit code ${exitCode}\n${stderr.slice(-4_000)}`);
    }
    return stdout;
  }

  /** Removes the containers, volumes and images that are left. */
  async remove(): Promise<void> {
    await this.run("--profile", "bench", "down", "-v", "--timeout", "20");
    // `down --rmi` finds no images once their containers are removed.
    const label = `label=com.docker.compose.project=${this.project}`;
    const images = (await docker(["image", "ls", "-q", "--filter", label])).stdout
      .split("\n")
      .filter(Boolean);
    if (images.length > 0) await docker(["image", "rm", "-f", ...images]);
  }

  /** Runs the bench in its own container, with `--verify`. @throws Error when it writes no report */
  async bench(...args: string[]): Promise<{ exitCode: number; report: Report }> {
    using folder = temporaryFolder("compose-bench");
    await chmod(folder.path, 0o777); // The container runs as another user.
    const { exitCode, stdout, stderr } = await this.run(
      ...["run", "--rm", "-T", "-v", `${folder.path}:/report`, "bench"],
      ...["--verify", "--json", "/report/report.json", ...args],
    );
    const file = Bun.file(join(folder.path, "report.json"));
    if (!(await file.exists()))
      throw new Error(`the bench wrote no report (exit code ${exitCode})\n${stdout}${stderr}`);
    return { exitCode, report: (await file.json()) as Report };
  }

  /** The consumers' log lines for a bench run: their count by container, and the ids of the events. */
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

  /** Events accepted since the producer started, by its metrics. */
  async acceptedEvents(): Promise<number> {
    const metrics = await (await fetch(`${this.producerUrl}/metrics`)).text();
    return Number(/^ingest_events_total\{outcome="accepted"\} (\d+)/m.exec(metrics)?.[1] ?? 0);
  }

  async untilAccepted(events: number, deadlineMs: number): Promise<void> {
    await until(`${events} accepted events`, async () => (await this.acceptedEvents()) >= events, deadlineMs);
  }

  /** The consumers' log, once it has this many events of the run. */
  async untilLogged(runId: string, events: number, deadlineMs: number) {
    return until(
      `${events} logged events`,
      async () => {
        const log = await this.consumerLog(runId);
        return log.eventIds.size >= events && log;
      },
      deadlineMs,
    );
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
