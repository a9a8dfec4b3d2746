// A service that a fault run kills, pauses, stops and starts again. Each start is a process of its own.
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { ServiceProcess } from "@ingest/testkit/service";

export interface RestartableServiceOptions {
  /** `services/<name>/src/main.ts` is run. */
  name: "producer" | "consumer";
  env: Record<string, string>;
  /** The port of its health and metrics, on 127.0.0.1. */
  port: number;
  /** The output of all its processes, one after the other. */
  outputFile: string;
}

/** One process of a service. */
export interface ProcessRun {
  /** Where its output begins in the output file, bytes. */
  outputStart: number;
  /** How it ended; undefined while it runs. */
  exit?: { cause: "killed" | "terminated" | "unexpected"; code: number | null };
}

export class RestartableService implements AsyncDisposable {
  readonly name: "producer" | "consumer";
  readonly port: number;
  readonly outputFile: string;
  /** All processes so far; the last one is the current one. */
  readonly processes: ProcessRun[] = [];
  peakRssBytes = 0;
  readonly #options: RestartableServiceOptions;
  #current: ServiceProcess | undefined;
  #exitCause: "killed" | "terminated" | undefined;

  constructor(options: RestartableServiceOptions) {
    this.#options = options;
    this.name = options.name;
    this.port = options.port;
    this.outputFile = options.outputFile;
  }

  /** The current process's index in `processes`. */
  get processIndex(): number {
    return this.processes.length - 1;
  }

  /** Processes that exited without a signal from the run, or with another code than 0 after SIGTERM. */
  get unexpectedExits(): ProcessRun[] {
    return this.processes.filter(({ exit }) => {
      if (exit === undefined || exit.cause === "killed") return false;
      // Null: SIGTERM came before the process had a handler for it.
      return exit.cause === "unexpected" || (exit.code !== 0 && exit.code !== null);
    });
  }

  start(): void {
    const { env, port, outputFile } = this.#options;
    const run: ProcessRun = { outputStart: sizeOf(outputFile) };
    const started = new ServiceProcess({
      program: `services/${this.name}/src/main.ts`,
      env,
      port,
      outputFile,
    });
    this.processes.push(run);
    this.#current = started;
    this.#exitCause = undefined;
    void started.exited.then((code) => {
      run.exit = { cause: this.#exitCause ?? "unexpected", code };
      if (this.#current === started) this.#current = undefined;
    });
  }

  /** What one of its processes has written. */
  outputOf(processIndex: number): string {
    const [from, to] = [this.processes[processIndex], this.processes[processIndex + 1]];
    return readFileSync(this.outputFile).subarray(from?.outputStart, to?.outputStart).toString();
  }

  /** Sends SIGKILL and waits for the exit. */
  async kill(): Promise<void> {
    await this.#end("killed", "SIGKILL");
  }

  /** Sends SIGTERM and waits for the exit; after the deadline, SIGKILL. */
  async terminate(deadlineMs = 60_000): Promise<void> {
    const current = this.#current;
    const timer = setTimeout(() => current?.kill("SIGKILL"), deadlineMs);
    await this.#end("terminated", "SIGTERM");
    clearTimeout(timer);
  }

  pause(): void {
    this.#current?.kill("SIGSTOP");
  }

  resume(): void {
    this.#current?.kill("SIGCONT");
  }

  async untilReady(): Promise<void> {
    await this.#running().untilReady();
  }

  async isReady(): Promise<boolean> {
    return this.#running().isReady();
  }

  /** @throws Error while the service cannot be reached */
  async metric(name: string): Promise<number> {
    return this.#running().metric(name);
  }

  /** Notes the current process's resident memory (Linux). */
  sampleMemory(): void {
    try {
      const status = readFileSync(`/proc/${this.#current?.pid}/status`, "utf8");
      const kib = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
      this.peakRssBytes = Math.max(this.peakRssBytes, Number(kib ?? 0) * 1024);
    } catch {
      // There is no current process.
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #running(): ServiceProcess {
    if (this.#current === undefined) throw new Error(`the ${this.name} is not running`);
    return this.#current;
  }

  async #end(cause: "killed" | "terminated", signal: NodeJS.Signals): Promise<void> {
    const current = this.#current;
    if (!current) return;
    this.#exitCause = cause;
    // A paused process would not see SIGTERM.
    current.kill("SIGCONT");
    current.kill(signal);
    await current.exited;
    this.#current = undefined;
  }
}

/** A file's size in bytes; the file is created when missing. */
function sizeOf(path: string): number {
  const file = openSync(path, "a");
  const { size } = fstatSync(file);
  closeSync(file);
  return size;
}
