/** The result of a finished command. */
export interface CommandResult {
  exitCode: number;
  output: string;
}

/**
 * Runs a command to its end with standard output and standard error together.
 * A command that can't be started at all (not found) gives exit code 127, as a shell does.
 */
export async function runCommand(command: string[], options: { cwd?: string } = {}): Promise<CommandResult> {
  try {
    const child = Bun.spawn(command, { ...options, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    const [stdout, stderr, exitCode] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { exitCode, output: stdout + stderr };
  } catch (thrown) {
    return { exitCode: 127, output: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

/** The last lines of a command's output or a log, without Java's stack frames: for the end of an error message. */
export function lastLines(text: string, count: number): string {
  const lines = text.trimEnd().split("\n");
  return lines
    .filter((line) => !/^\s+at /.test(line))
    .slice(-count)
    .join("\n");
}
