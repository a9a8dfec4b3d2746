// One server process under measurement: pinned, with no settings but those it is given, its output in a file.
import { openSync } from "node:fs";
import type { Subprocess } from "bun";
import { pathToNode } from "../../packages/kafka-native/conformance/harness/node.ts";
import { pinned } from "./cores.ts";

const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 30_000;

/** A server that can be measured: how it is started, and what may be expected of it. */
export interface ServerSpec {
  readonly title: string;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Is it this project's service? Then it takes JOURNAL_DIR, and each rejection has exactly the contract's status. */
  readonly isOurs: boolean;
  /** Does it run on two cores? For two workers, and for the single worker that they are compared with. */
  readonly hasTwoCores: boolean;
}

export interface ServerProcessOptions {
  readonly spec: ServerSpec;
  readonly port: number;
  readonly cores: string | undefined;
  readonly topic: string;
  readonly bootstrapServers: string;
  /** Added to the spec's. */
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
}

/** An environment without the caller's own settings, which might reach one measured program and not the others. */
export function cleanEnv(): Record<string, string | undefined> {
  return { PATH: pathToNode(process.env), HOME: process.env.HOME, TMPDIR: process.env.TMPDIR };
}

class ServerStartError extends Error {
  override name = "ServerStartError";
}

export class ServerProcess implements AsyncDisposable {
  private constructor(
    private readonly child: Subprocess,
    readonly url: URL,
    private readonly logFile: string,
  ) {}

  /**
   * Starts the server and waits until `/health/ready` returns 200.
   * @throws ServerStartError with the end of the server's output when it exits or is not ready within a minute
   */
  static async start(options: ServerProcessOptions): Promise<ServerProcess> {
    const { spec, port, cores, topic, bootstrapServers, env, logFile } = options;
    const log = openSync(logFile, "a");
    const child = Bun.spawn(pinned(cores, spec.command), {
      cwd: spec.cwd,
      env: {
        ...cleanEnv(),
        PORT: String(port),
        HOST: "127.0.0.1",
        KAFKA_BOOTSTRAP_SERVERS: bootstrapServers,
        KAFKA_TOPIC: topic,
        ...spec.env,
        ...env,
      },
      stdin: "ignore",
      stdout: log,
      stderr: log,
    });
    const server = new ServerProcess(child, new URL(`http://127.0.0.1:${port}`), logFile);
    try {
      await server.#untilReady();
    } catch (thrown) {
      child.kill("SIGKILL");
      await child.exited;
      throw thrown;
    }
    return server;
  }

  get pid(): number {
    return this.child.pid;
  }

  /** Shuts the server down gracefully, so that it delivers what it has accepted. Kills it after 30 s. */
  async stop(): Promise<void> {
    if (this.#hasExited()) return;
    this.child.kill("SIGTERM");
    const forced = setTimeout(() => this.child.kill("SIGKILL"), STOP_DEADLINE_MS);
    await this.child.exited;
    clearTimeout(forced);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async #untilReady(): Promise<void> {
    const deadline = performance.now() + START_DEADLINE_MS;
    const health = new URL("/health/ready", this.url);
    for (;;) {
      const response = await fetch(health).catch(() => undefined);
      await response?.body?.cancel();
      if (response?.status === 200) return;
      const hasExited = this.#hasExited();
      if (hasExited || performance.now() > deadline) {
        const output = (await Bun.file(this.logFile).text()).trimEnd().split("\n").slice(-15).join("\n");
        throw new ServerStartError(`${hasExited ? "exited at start" : "not ready in time"}:\n${output}`);
      }
      await Bun.sleep(25);
    }
  }
}
