import { existsSync, rmSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { BrokerError } from "./errors.ts";
import { ensureClassArchive, javaCommand, type KafkaRuntime, prepareRuntime, spawnJvm } from "./jvm.ts";
import { assertPortFree, brokerResponds, freePort, loopback } from "./probe.ts";
import { serverProperties } from "./properties.ts";
import { lastLines, runCommand } from "./run.ts";

/** Kafka starts in 1–4 s; a machine busy with tests may take much longer. */
const startDeadlineMs = 60_000;
/** Kafka stops well under a second after SIGTERM; after this it is killed. */
const stopDeadlineMs = 20_000;

export interface BrokerOptions {
  /** On 127.0.0.1. By default 0: a free port, which `restart()` keeps. */
  port?: number;
  /** Folder for the records, which stays. By default a temporary folder, removed with the broker. */
  dataDir?: string;
  /** Default partitions of new topics; 6 by default. */
  partitions?: number;
  /** Kafka's own broker properties; they override the defaults. */
  properties?: Readonly<Record<string, string>>;
  /** How the user chooses the port, for the error message when it is busy. */
  portSetting?: string;
  /** Called at slow steps, such as the first download. */
  onProgress?: (message: string) => void;
}

/** A Kafka broker in a process of its own. */
export interface Broker extends AsyncDisposable {
  readonly bootstrapServers: string;
  readonly port: number;
  readonly dataDir: string;
  /** Kafka's own log. */
  readonly logFile: string;
  /** The broker's process id; another one after `restart()`. */
  readonly pid: number;
  /** Resolves with the exit code when the present process ends (null: by a signal). */
  readonly exited: Promise<number | null>;
  /** Sends a signal, SIGKILL by default, and waits for the process to end. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Stops the process cleanly; the data stays for `restart()`. */
  stop(): Promise<void>;
  /** Starts the broker again with its port and data; stops it cleanly first if it runs. */
  restart(): Promise<void>;
  /** SIGSTOP: connections stay open, requests get no response. */
  pause(): void;
  /** SIGCONT, after `pause()`. */
  resume(): void;
}

/**
 * Starts a Kafka broker and resolves once it serves requests.
 * @throws BrokerError when Java or Maven is missing, the port is busy, or Kafka does not start
 */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const runtime = await prepareRuntime(options.onProgress);
  if (options.port) await assertPortFree(options.port, options.portSetting ?? "the option `port`");
  await ensureClassArchive(runtime, async (dumpArchiveTo) => {
    options.onProgress?.("preparing Kafka for fast starts (a few seconds, once)");
    await using warmUp = new BrokerProcess(runtime, {}, await temporaryFolder(), true, dumpArchiveTo);
    await warmUp.start();
    await warmUp.stop();
  });
  const dataDir = options.dataDir ?? (await temporaryFolder());
  const broker = new BrokerProcess(runtime, options, dataDir, options.dataDir === undefined);
  await broker.start();
  return broker;
}

/** 16 bytes in base64url, as Kafka requires. The first byte is below 128: an id that begins with "-" would be read as an option. */
function randomClusterId(): string {
  const bytes = crypto.getRandomValues(Buffer.alloc(16));
  bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0);
  return bytes.toString("base64url");
}

function temporaryFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "kafka-broker-"));
}

class BrokerProcess implements Broker {
  port: number;
  readonly logFile: string;
  #process: Subprocess | undefined;
  readonly #removeAtExit = () => this.#abandon();

  constructor(
    readonly runtime: KafkaRuntime,
    readonly options: BrokerOptions,
    readonly dataDir: string,
    readonly isTemporary: boolean,
    readonly dumpArchiveTo?: string,
  ) {
    this.port = options.port ?? 0;
    this.logFile = join(dataDir, "broker.log");
    process.on("exit", this.#removeAtExit);
  }

  get bootstrapServers(): string {
    return `${loopback}:${this.port}`;
  }

  get pid(): number {
    return this.#running().pid;
  }

  get exited(): Promise<number | null> {
    return this.#running().exited;
  }

  async start(): Promise<void> {
    try {
      const propertiesFile = await this.#writeProperties();
      const command = javaCommand(this.runtime, "kafka.Kafka", [propertiesFile], this.dumpArchiveTo);
      this.#process = spawnJvm(command, this.logFile);
      await this.#untilAnswering(this.#process);
    } catch (thrown) {
      await this.kill();
      if (this.isTemporary) await rm(this.dataDir, { recursive: true, force: true });
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
    const forced = setTimeout(() => child.kill("SIGKILL"), stopDeadlineMs);
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
    // Temporary data needs no orderly close.
    await (this.isTemporary ? this.kill() : this.stop());
    process.off("exit", this.#removeAtExit);
    if (this.isTemporary) await rm(this.dataDir, { recursive: true, force: true });
  }

  #running(): Subprocess {
    if (this.#process === undefined) throw new Error("the broker was not started");
    return this.#process;
  }

  async #writeProperties(): Promise<string> {
    await mkdir(this.dataDir, { recursive: true });
    this.port ||= await freePort();
    const logFolder = join(this.dataDir, "log");
    const file = join(this.dataDir, "server.properties");
    const { partitions = 6, properties = {} } = this.options;
    const layout = { port: this.port, controllerPort: await freePort(), logFolder, partitions, properties };
    await writeFile(file, serverProperties(layout));
    if (!existsSync(join(logFolder, "meta.properties"))) await this.#format(file);
    return file;
  }

  async #format(propertiesFile: string): Promise<void> {
    const args = ["format", "--cluster-id", randomClusterId(), "--config", propertiesFile];
    const { exitCode, output } = await runCommand(javaCommand(this.runtime, "kafka.tools.StorageTool", args));
    if (exitCode !== 0) {
      throw new BrokerError(
        "format_failed",
        `Kafka could not format ${this.dataDir}:\n${lastLines(output, 10)}`,
      );
    }
  }

  async #untilAnswering(child: Subprocess): Promise<void> {
    const deadline = performance.now() + startDeadlineMs;
    while (!(await brokerResponds(this.port))) {
      const ended = hasEnded(child);
      if (!ended && performance.now() < deadline) {
        await Bun.sleep(25);
        continue;
      }
      const log = await Bun.file(this.logFile).text();
      const why = ended
        ? "Kafka exited during its start"
        : `Kafka did not respond within ${startDeadlineMs / 1000} s`;
      const code = ended ? "start_failed" : "start_timed_out";
      // The message has the end of the log, because a temporary folder is removed now.
      throw new BrokerError(code, `${why} on port ${this.port}; the end of its log:\n${lastLines(log, 20)}`);
    }
    if (hasEnded(child)) {
      throw new BrokerError("port_busy", `another process listens on ${this.bootstrapServers}`);
    }
  }

  /** The process ends without having disposed of the broker. */
  #abandon(): void {
    if (this.#process !== undefined && !hasEnded(this.#process)) this.#process.kill("SIGKILL");
    if (this.isTemporary) rmSync(this.dataDir, { recursive: true, force: true });
  }
}

function hasEnded(child: Subprocess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
