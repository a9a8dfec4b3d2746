// One Kafka node, a broker or a controller or both, in a process of its own.
import { existsSync, rmSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { BrokerError } from "./errors.ts";
import { javaCommand, type KafkaRuntime, spawnJvm } from "./jvm.ts";
import { loopback } from "./probe.ts";
import { toPropertiesFile } from "./properties.ts";
import { lastLines, runCommand } from "./run.ts";

/** Kafka starts in 1–4 s; a machine busy with tests may take much longer. */
const START_DEADLINE_MS = 60_000;
/** Kafka stops well under a second after SIGTERM; after this it is killed. */
const STOP_DEADLINE_MS = 20_000;

/** A Kafka process that can be killed, paused and started again with its data. */
export interface NodeProcess {
  readonly dataDir: string;
  /** Kafka's own log. */
  readonly logFile: string;
  /** The process id; another one after `restart()`. */
  readonly pid: number;
  /** Resolves with the exit code when the present process ends (null: by a signal). */
  readonly exited: Promise<number | null>;
  /** Sends a signal, SIGKILL by default, and waits for the process to end. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Stops the process cleanly; the data stays for `restart()`. */
  stop(): Promise<void>;
  /** Starts the node again with its ports and data; stops it cleanly first if it runs. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open, requests get no response. */
  pause(): void;
  /** SIGCONT, after `pause()`. */
  resume(): void;
}

export interface NodeOptions {
  runtime: KafkaRuntime;
  /** On 127.0.0.1, for the messages of errors. */
  port: number;
  properties: Readonly<Record<string, string>>;
  /** The same for all nodes of a cluster. */
  clusterId: string;
  dataDir: string;
  /** Remove the data with the node. */
  isTemporary: boolean;
  heapMiB: number;
  /** Does the node serve requests now? */
  isReady(): Promise<boolean>;
  dumpArchiveTo?: string;
}

/** 16 bytes in base64url, as Kafka requires. The first byte is below 128: an id that begins with "-" would be read as an option. */
export function randomClusterId(): string {
  const bytes = crypto.getRandomValues(Buffer.alloc(16));
  bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0);
  return bytes.toString("base64url");
}

export function temporaryDataDir(): Promise<string> {
  return mkdtemp(join(tmpdir(), "kafka-broker-"));
}

export class KafkaNode implements NodeProcess, AsyncDisposable {
  readonly dataDir: string;
  readonly logFile: string;
  readonly #options: NodeOptions;
  #process: Subprocess | undefined;
  #isDisposed = false;
  readonly #removeAtExit = () => this.#abandon();

  constructor(options: NodeOptions) {
    this.#options = options;
    this.dataDir = options.dataDir;
    this.logFile = join(options.dataDir, "broker.log");
    process.on("exit", this.#removeAtExit);
  }

  get pid(): number {
    return this.#running().pid;
  }

  get exited(): Promise<number | null> {
    return this.#running().exited;
  }

  async start(): Promise<void> {
    const { runtime, heapMiB, dumpArchiveTo, isTemporary } = this.#options;
    try {
      const propertiesFile = await this.#prepareDataDir();
      if (this.#isDisposed)
        throw new BrokerError("start_failed", "the node was disposed of during its start");
      const args = { main: "kafka.Kafka", args: [propertiesFile], heapMiB };
      this.#process = spawnJvm(javaCommand(runtime, args, dumpArchiveTo), this.logFile);
      await this.#untilReady(this.#process);
    } catch (thrown) {
      await this.kill();
      if (isTemporary) await rm(this.dataDir, { recursive: true, force: true });
      throw thrown;
    }
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#process;
    if (child === undefined || hasEnded(child)) return;
    child.kill(signal);
    await child.exited;
  }

  async stop(): Promise<void> {
    const child = this.#process;
    if (child === undefined || hasEnded(child)) return;
    child.kill("SIGCONT"); // a paused process would not see SIGTERM
    child.kill("SIGTERM");
    const forced = setTimeout(() => child.kill("SIGKILL"), STOP_DEADLINE_MS);
    await child.exited;
    clearTimeout(forced);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  pause(): void {
    this.#running().kill("SIGSTOP");
  }

  resume(): void {
    this.#running().kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { isTemporary } = this.#options;
    this.#isDisposed = true;
    // Temporary data needs no orderly close.
    await (isTemporary ? this.kill() : this.stop());
    process.off("exit", this.#removeAtExit);
    if (isTemporary) await rm(this.dataDir, { recursive: true, force: true });
  }

  #running(): Subprocess {
    if (this.#process === undefined) throw new Error("the node was not started");
    return this.#process;
  }

  async #prepareDataDir(): Promise<string> {
    await mkdir(this.dataDir, { recursive: true });
    const file = join(this.dataDir, "server.properties");
    const logFolder = join(this.dataDir, "log");
    await writeFile(file, toPropertiesFile({ "log.dirs": logFolder, ...this.#options.properties }));
    if (!existsSync(join(logFolder, "meta.properties"))) await this.#format(file);
    return file;
  }

  async #format(propertiesFile: string): Promise<void> {
    const { runtime, clusterId } = this.#options;
    const args = ["format", "--cluster-id", clusterId, "--config", propertiesFile];
    const command = javaCommand(runtime, { main: "kafka.tools.StorageTool", args, heapMiB: FORMAT_HEAP_MIB });
    const { exitCode, output } = await runCommand(command);
    if (exitCode !== 0) {
      throw new BrokerError(
        "format_failed",
        `Kafka could not format ${this.dataDir}:\n${lastLines(output, 10)}`,
      );
    }
  }

  async #untilReady(child: Subprocess): Promise<void> {
    const { port, isReady } = this.#options;
    const deadline = performance.now() + START_DEADLINE_MS;
    while (!(await isReady())) {
      const ended = hasEnded(child);
      if (!ended && performance.now() < deadline) {
        await Bun.sleep(25);
        continue;
      }
      const log = await Bun.file(this.logFile).text();
      const why = ended
        ? "Kafka exited during its start"
        : `Kafka did not respond within ${START_DEADLINE_MS / 1000} s`;
      const code = ended ? "start_failed" : "start_timed_out";
      // The message has the end of the log, because a temporary folder is removed now.
      throw new BrokerError(code, `${why} on port ${port}; the end of its log:\n${lastLines(log, 20)}`);
    }
    if (hasEnded(child)) {
      throw new BrokerError("port_busy", `another process listens on ${loopback}:${port}`);
    }
  }

  /** The process ends without having disposed of the node. */
  #abandon(): void {
    if (this.#process !== undefined && !hasEnded(this.#process)) this.#process.kill("SIGKILL");
    if (this.#options.isTemporary) rmSync(this.dataDir, { recursive: true, force: true });
  }
}

const FORMAT_HEAP_MIB = 128;

function hasEnded(child: Subprocess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
