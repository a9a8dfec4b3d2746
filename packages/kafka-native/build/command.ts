// Runs a program with its output in a log file.
import { appendFileSync } from "node:fs";

export type Env = Readonly<Record<string, string | undefined>>;

export interface CommandOptions {
  cwd?: string;
  env?: Env;
  /** Appended to: the command line, then what the program prints. */
  logFile?: string;
  /** Called with each finished line of standard output. */
  onLine?: (line: string) => void;
}

export interface CommandResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** A program of the build that exited with another code than 0. */
export class CommandError extends Error {
  constructor(
    readonly command: readonly string[],
    readonly result: CommandResult,
  ) {
    super(`${command[0]} exited with ${result.exitCode}`);
    this.name = "CommandError";
  }
}

async function collect(stream: ReadableStream<Uint8Array>, onLine?: (line: string) => void): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let reported = 0;
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf("\n", reported); end >= 0; end = text.indexOf("\n", reported)) {
      onLine?.(text.slice(reported, end));
      reported = end + 1;
    }
  }
  return text + decoder.decode();
}

/** Runs to the end and returns whatever the exit code was. Throws when the program cannot be started. */
export async function run(command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const child = Bun.spawn([...command], {
    cwd: options.cwd ?? process.cwd(),
    env: options.env ?? process.env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exitCode] = await Promise.all([
    collect(child.stdout, options.onLine),
    collect(child.stderr),
    child.exited,
  ]);
  if (options.logFile !== undefined) {
    appendFileSync(options.logFile, `$ ${command.join(" ")}\n${stdout}${stderr}`);
  }
  return { exitCode, stdout, stderr };
}

/** Like `run`, but throws a `CommandError` unless the exit code is 0. */
export async function runOrThrow(
  command: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const result = await run(command, options);
  if (result.exitCode !== 0) throw new CommandError(command, result);
  return result;
}

/** The first line that looks like an error of a compiler or linker, or else the last line. */
export function firstError(result: CommandResult): string {
  const lines = `${result.stderr}\n${result.stdout}`.split("\n").filter((line) => line.trim() !== "");
  return (
    lines.find((line) =>
      /(^|[\s:])(fatal error|error|undefined reference|undefined symbol|cannot find)[\s:]/i.test(line),
    ) ??
    lines.at(-1) ??
    `exit code ${result.exitCode}, no output`
  ).trim();
}
