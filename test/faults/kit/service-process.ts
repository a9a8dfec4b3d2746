// One of the services as a process that can be killed, stopped, continued and started again.
import { closeSync, fstatSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "@ingest/testkit";
import type { Subprocess } from "bun";

const root = join(import.meta.dir, "../../..");

export interface ServiceProcessOptions {
  /** `services/<name>/src/main.ts` is run. */
  name: "producer" | "consumer";
  env: Record<string, string>;
  /** Where its health is, on 127.0.0.1. */
  healthPort: number;
  /** Its standard output goes here, over all its lives. */
  outputFile: string;
}

/** A time span in which one process of the service ran. */
export interface Life {
  startedMs: number;
  /** Where its part of the output file begins. */
  outputFrom: number;
  /** How it ended; undefined while it runs. */
  end?: { atMs: number; how: "killed" | "terminated" | "by itself"; exitCode: number | null };
}

export class ServiceProcess {
  readonly name: "producer" | "consumer";
  readonly outputFile: string;
  readonly lives: Life[] = [];
  peakRssBytes = 0;
  readonly #options: ServiceProcessOptions;
  #child: Subprocess | undefined;
  #expected: "killed" | "terminated" | undefined;

  constructor(options: ServiceProcessOptions) {
    this.#options = options;
    this.name = options.name;
    this.outputFile = options.outputFile;
  }

  /** Which life this is, from 0. */
  get life(): number {
    return this.lives.length - 1;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  /** Lives that ended without anybody having asked for it, or not as they were asked to. */
  get accidents(): Life[] {
    return this.lives.filter(({ end }) => {
      if (end === undefined || end.how === "killed") return false;
      // A process that was told to end before it could listen for that has no exit code.
      return end.how === "by itself" || (end.exitCode !== 0 && end.exitCode !== null);
    });
  }

  start(): void {
    const output = openSync(this.outputFile, "a");
    const life: Life = { startedMs: performance.now(), outputFrom: fstatSync(output).size };
    const child = Bun.spawn([process.execPath, join("services", this.name, "src/main.ts")], {
      cwd: root,
      env: { ...process.env, ...this.#options.env },
      stdin: "ignore",
      stdout: output,
      stderr: output,
    });
    closeSync(output);
    this.lives.push(life);
    this.#child = child;
    this.#expected = undefined;
    void child.exited.then(() => {
      // Null when a signal ended it.
      const { exitCode } = child;
      life.end = { atMs: performance.now(), how: this.#expected ?? "by itself", exitCode };
      if (this.#child === child) this.#child = undefined;
    });
  }

  /** What one of its lives has written. */
  outputOf(life: number): string {
    const output = readFileSync(this.outputFile);
    return output.subarray(this.lives[life]?.outputFrom, this.lives[life + 1]?.outputFrom).toString();
  }

  /** SIGKILL, and waits until it is gone. */
  async kill(): Promise<void> {
    await this.#end("killed", "SIGKILL");
  }

  /** SIGTERM, and waits until it has ended by itself. */
  async terminate(deadlineMs = 60_000): Promise<void> {
    const child = this.#child;
    const late = setTimeout(() => child?.kill("SIGKILL"), deadlineMs);
    await this.#end("terminated", "SIGTERM");
    clearTimeout(late);
  }

  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  async untilReady(deadlineMs = 60_000): Promise<void> {
    await until(`the ${this.name} to be ready`, () => this.answersReady(), deadlineMs);
  }

  async answersReady(): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(1_000);
      return (await fetch(`http://127.0.0.1:${this.#options.healthPort}/health/ready`, { signal })).ok;
    } catch {
      return false;
    }
  }

  /** A figure of its /metrics; undefined when it can't be had. */
  async figure(name: string): Promise<number | undefined> {
    try {
      const signal = AbortSignal.timeout(2_000);
      const response = await fetch(`http://127.0.0.1:${this.#options.healthPort}/metrics`, { signal });
      const line = (await response.text()).split("\n").find((text) => text.startsWith(`${name} `));
      return line === undefined ? undefined : Number(line.slice(name.length + 1));
    } catch {
      return undefined;
    }
  }

  /** Notes how much memory it holds (Linux). */
  sampleMemory(): void {
    try {
      const status = readFileSync(`/proc/${this.#child?.pid}/status`, "utf8");
      const kib = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
      this.peakRssBytes = Math.max(this.peakRssBytes, Number(kib ?? 0) * 1024);
    } catch {
      // Between two lives.
    }
  }

  async #end(how: "killed" | "terminated", signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#expected = how;
    child.kill("SIGCONT");
    child.kill(signal);
    await child.exited;
    this.#child = undefined;
  }
}
