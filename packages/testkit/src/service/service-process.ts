// A program of this repository in a process of its own, as it runs in production: settings by environment, JSON log
// lines on standard output, health and metrics over HTTP, signals.
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { type Met, until } from "../until.ts";
import { type LogLine, readLines, toLogLine } from "./log-lines.ts";
import { parseMetrics, sumMetric } from "./metrics.ts";

const root = join(import.meta.dir, "../../../..");
const READY_WITHIN_MS = 60_000;
const REQUEST_TIMEOUT_MS = 5_000;

export interface ServiceProcessOptions {
  /** The source file to run, from the repository's root. */
  program: string;
  args?: readonly string[];
  /** Its settings. Of this process's environment it inherits `PATH`, `HOME` and the like alone. */
  env: Readonly<Record<string, string>>;
  /** A file to which its output is appended, instead of collecting it in `lines`, `textLines` and `stderr`. */
  outputFile?: string;
  /** Its HTTP port on 127.0.0.1; by default it is taken from the log, which an `outputFile` does not allow. */
  port?: number;
}

/** Killed when disposed of. */
export class ServiceProcess implements AsyncDisposable {
  /** Its log so far. */
  readonly lines: LogLine[] = [];
  /** Lines of standard output that are not JSON objects. */
  readonly textLines: string[] = [];
  stderr = "";
  /** The exit code, or null when a signal ended it. Resolves once all output has been read. */
  readonly exited: Promise<number | null>;
  readonly #options: ServiceProcessOptions;
  readonly #child: Subprocess;
  #hasExited = false;

  constructor(options: ServiceProcessOptions) {
    this.#options = options;
    const file = options.outputFile === undefined ? undefined : openSync(options.outputFile, "a");
    this.#child = Bun.spawn([process.execPath, options.program, ...(options.args ?? [])], {
      cwd: root,
      env: { ...inheritedEnv(), HOST: "127.0.0.1", ...options.env },
      stdio: ["ignore", file ?? "pipe", file ?? "pipe"],
    });
    if (file !== undefined) closeSync(file);
    this.exited = this.#untilExited();
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Sends a signal, SIGTERM by default. */
  kill(signal: NodeJS.Signals = "SIGTERM"): void {
    this.#child.kill(signal);
  }

  /** Sends SIGTERM. @returns the exit code */
  stop(): Promise<number | null> {
    this.kill("SIGTERM");
    return this.exited;
  }

  hasLogged(message: string): boolean {
    return this.lines.some((line) => line.message === message);
  }

  /**
   * Polls like `until`, but gives up as soon as the process has exited.
   * @throws Error with the process's output when it exits first
   */
  async until<T>(
    what: string,
    condition: () => T | Promise<T>,
    deadlineMs = READY_WITHIN_MS,
  ): Promise<Met<T>> {
    const result = await until(
      what,
      async () => {
        const hadExited = this.#hasExited;
        const value = await condition();
        if (value !== undefined && value !== null && value !== false) return { value };
        return hadExited && "exited";
      },
      deadlineMs,
    );
    if (result === "exited")
      throw new Error(`${this.#options.program} exited before ${what}:\n${this.#output()}`);
    return result.value as Met<T>;
  }

  /** The line with this message, once it has been logged. */
  untilLogged(message: string, deadlineMs?: number): Promise<LogLine> {
    return this.until(
      `the log line "${message}"`,
      () => this.lines.find((line) => line.message === message),
      deadlineMs,
    );
  }

  /** Its base URL. @throws Error before it listens */
  get url(): string {
    const port = this.#options.port ?? this.#loggedPort();
    if (port === undefined) throw new Error(`${this.#options.program} does not listen yet`);
    return `http://127.0.0.1:${port}`;
  }

  async untilListening(): Promise<void> {
    await this.until("the HTTP server", () => this.#options.port ?? this.#loggedPort());
  }

  /** Requests a path once the process listens. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    await this.untilListening();
    return fetch(this.url + path, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS), ...init });
  }

  /** Posts a value as JSON, or a string as it is. */
  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.url + path, {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers: { "content-type": "application/json", ...headers },
    });
  }

  /** A metric's value, summed over its labels. @throws Error where the service has no such metric */
  async metric(name: string): Promise<number> {
    return sumMetric(await this.#metricsText(), name);
  }

  /** All samples of /metrics, by name and labels. */
  async metrics(): Promise<Map<string, number>> {
    return parseMetrics(await this.#metricsText());
  }

  /** True when /health/ready says so, for every worker where there are several. */
  async isReady(): Promise<boolean> {
    const response = await this.fetch("/health/ready").catch(() => undefined);
    if (!response?.ok) return false;
    const { workers } = (await response.json()) as { workers?: { status: string }[] };
    return workers?.every(({ status }) => status === "ok") ?? true;
  }

  untilReady(deadlineMs?: number): Promise<true> {
    return this.until("ready", () => this.isReady(), deadlineMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.exited;
  }

  async #untilExited(): Promise<number | null> {
    const { stdout, stderr } = this.#child;
    await Promise.all([
      stdout instanceof ReadableStream && readLines(stdout, (text) => this.#take(text)),
      stderr instanceof ReadableStream && readLines(stderr, (text) => this.#takeError(text)),
    ]);
    await this.#child.exited;
    this.#hasExited = true;
    return this.#child.exitCode;
  }

  async #metricsText(): Promise<string> {
    return (await this.fetch("/metrics")).text();
  }

  #loggedPort(): number | undefined {
    const line = this.lines.find(({ message, port }) => message.endsWith("listening") && port !== undefined);
    return line?.port as number | undefined;
  }

  #take(text: string): void {
    const line = toLogLine(text);
    if (line === undefined) this.textLines.push(text);
    else this.lines.push(line);
  }

  #takeError(text: string): void {
    this.stderr += `${text}\n`;
  }

  #output(): string {
    if (this.#options.outputFile !== undefined) return `see ${this.#options.outputFile}`;
    return [...this.lines.map((line) => JSON.stringify(line)), ...this.textLines, this.stderr].join("\n");
  }
}

function inheritedEnv(): Record<string, string> {
  const names = ["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "XDG_CACHE_HOME"];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}
