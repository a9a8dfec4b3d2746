// The producer as a process of its own, as it runs in production: settings by environment, a free port, JSON lines.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "@ingest/testkit";

const main = join(import.meta.dir, "../../services/producer/src/main.ts");
const READY_WITHIN_MS = 60_000;

/** A line of the log. */
interface LogLine {
  level: string;
  message: string;
  [field: string]: unknown;
}

export interface ProducerProcess extends AsyncDisposable {
  readonly pid: number;
  readonly url: string;
  readonly lines: readonly LogLine[];
  readonly journalDir: string;
  kill(signal?: NodeJS.Signals): void;
  /** The exit code, or null when a signal ended it. */
  readonly exited: Promise<number | null>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  metrics(): Promise<Map<string, number>>;
}

export interface ProducerProcessOptions {
  env: Record<string, string>;
  /** Resolve once it is ready (true), or once it listens (false). */
  untilReady?: boolean;
  /** A folder that outlives the process; else one of its own, removed at the end. */
  journalDir?: string;
}

export async function startProducer(options: ProducerProcessOptions): Promise<ProducerProcess> {
  const journalDir = options.journalDir ?? (await mkdtemp(join(tmpdir(), "ingest-journal-")));
  const child = Bun.spawn([process.execPath, main], {
    env: {
      ...inherited(),
      PORT: "0",
      HOST: "127.0.0.1",
      LOG_FORMAT: "json",
      JOURNAL_DIR: journalDir,
      ...options.env,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: LogLine[] = [];
  const reading = readLines(child.stdout, lines);
  const exited = child.exited.then(async () => {
    await reading;
    return child.exitCode;
  });
  const end = async () => {
    child.kill("SIGKILL");
    await exited;
    if (options.journalDir === undefined) await rm(journalDir, { recursive: true, force: true });
  };
  try {
    const port = await untilPresent(
      "the port",
      exited,
      lines,
      () => lines.find((l) => l.message === "listening")?.port,
    );
    const url = `http://127.0.0.1:${port}`;
    if (options.untilReady !== false) await untilReady(url, exited, lines);
    return {
      pid: child.pid,
      url,
      lines,
      journalDir,
      exited,
      kill: (signal = "SIGTERM") => child.kill(signal),
      post: (path, body, headers = {}) =>
        fetch(url + path, {
          method: "POST",
          body: typeof body === "string" ? body : JSON.stringify(body),
          headers: { "content-type": "application/json", ...headers },
        }),
      metrics: async () => toFigures(await (await fetch(`${url}/metrics`)).text()),
      [Symbol.asyncDispose]: end,
    };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Runs it until it ends by itself, which is what is expected. */
export async function runToEnd(env: Record<string, string>): Promise<{ code: number; output: string }> {
  const child = Bun.spawn([process.execPath, main], {
    env: { ...inherited(), LOG_FORMAT: "json", HOST: "127.0.0.1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), READY_WITHIN_MS);
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  clearTimeout(timer);
  return { code, output: stdout + stderr };
}

/** Ready, and with several workers each of them. */
export async function isReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}/health/ready`).catch(() => undefined);
  if (!response?.ok) return false;
  const { workers } = (await response.json()) as { workers?: { status: string }[] };
  return workers?.every(({ status }) => status === "ok") ?? true;
}

async function untilReady(url: string, exited: Promise<unknown>, lines: LogLine[]): Promise<void> {
  let hasEnded = false;
  void exited.then(() => {
    hasEnded = true;
  });
  await until("ready", async () => {
    if (hasEnded) throw new Error(`the producer ended:\n${lines.map((l) => JSON.stringify(l)).join("\n")}`);
    return isReady(url);
  });
}

async function untilPresent<T>(
  what: string,
  exited: Promise<unknown>,
  lines: LogLine[],
  find: () => T | undefined,
): Promise<T> {
  let hasEnded = false;
  void exited.then(() => {
    hasEnded = true;
  });
  return until(what, async () => {
    const found = find();
    if (found === undefined && hasEnded)
      throw new Error(
        `the producer ended before ${what}:\n${lines.map((l) => JSON.stringify(l)).join("\n")}`,
      );
    return found;
  });
}

/** This process's environment without settings of the services. */
function inherited(): Record<string, string> {
  const { PATH = "", HOME = "", TMPDIR, LD_LIBRARY_PATH } = process.env;
  return { PATH, HOME, ...(TMPDIR ? { TMPDIR } : {}), ...(LD_LIBRARY_PATH ? { LD_LIBRARY_PATH } : {}) };
}

async function readLines(stream: ReadableStream<Uint8Array>, lines: LogLine[]): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) lines.push(toLine(part));
  }
}

function toLine(text: string): LogLine {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return { level: "none", message: text };
  }
}

function toFigures(text: string): Map<string, number> {
  const samples = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    samples.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}
