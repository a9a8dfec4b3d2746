// One server process for one turn: pinned, with only the settings it is given, its output in a file.
import { openSync } from "node:fs";
import type { Subprocess } from "bun";
import { pathToNode } from "../../../packages/kafka-native/conformance/harness/node.ts";
import { pinned } from "./cores.ts";
import type { Subject } from "./subjects.ts";

const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 30_000;

export interface ServerOptions {
  readonly subject: Subject;
  readonly port: number;
  readonly cores: string | undefined;
  readonly topic: string;
  readonly bootstrapServers: string;
  /** Added to the subject's. */
  readonly env?: Readonly<Record<string, string>>;
  readonly logFile: string;
}

/** Nothing of the caller's own settings may reach one of the measured programs and not the others. */
export function plainEnv(): Record<string, string | undefined> {
  return { PATH: pathToNode(process.env), HOME: process.env.HOME, TMPDIR: process.env.TMPDIR };
}

export class ServerError extends Error {
  override name = "ServerError";
}

export class MeasuredServer implements AsyncDisposable {
  private constructor(
    private readonly child: Subprocess,
    readonly url: URL,
    private readonly logFile: string,
  ) {}

  /**
   * Starts the server and waits until it says it is ready.
   * @throws ServerError when it ends or stays silent; the message has the end of its output
   */
  static async start(options: ServerOptions): Promise<MeasuredServer> {
    const { subject, port, cores, topic, bootstrapServers, env, logFile } = options;
    const log = openSync(logFile, "a");
    const child = Bun.spawn(pinned(cores, subject.command), {
      cwd: subject.cwd,
      env: {
        ...plainEnv(),
        PORT: String(port),
        HOST: "127.0.0.1",
        KAFKA_BOOTSTRAP_SERVERS: bootstrapServers,
        KAFKA_TOPIC: topic,
        ...subject.env,
        ...env,
      },
      stdin: "ignore",
      stdout: log,
      stderr: log,
    });
    const server = new MeasuredServer(child, new URL(`http://127.0.0.1:${port}`), logFile);
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

  /** Ends the server in order, so that it delivers what it still has. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill("SIGTERM");
    const forced = setTimeout(() => this.child.kill("SIGKILL"), STOP_DEADLINE_MS);
    await this.child.exited;
    clearTimeout(forced);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #untilReady(): Promise<void> {
    const deadline = performance.now() + START_DEADLINE_MS;
    const health = new URL("/health/ready", this.url);
    for (;;) {
      const answer = await fetch(health).catch(() => undefined);
      await answer?.body?.cancel();
      if (answer?.status === 200) return;
      const ended = this.child.exitCode !== null || this.child.signalCode !== null;
      if (ended || performance.now() > deadline) {
        const output = (await Bun.file(this.logFile).text()).trimEnd().split("\n").slice(-15).join("\n");
        throw new ServerError(`${ended ? "it ended at its start" : "it is not ready in time"}:\n${output}`);
      }
      await Bun.sleep(25);
    }
  }
}
