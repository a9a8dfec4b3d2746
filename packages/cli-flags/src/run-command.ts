// What every command does with its command line.
import { type Command, type CommandLine, type Flags, parseCommandLine, UsageError } from "./command-line.ts";
import { helpText } from "./help.ts";

/** The exit code for an invalid command line. */
const EXIT_USAGE = 2;

/**
 * Runs a command: prints --help, or parses the command line and calls `run`, which may throw a UsageError of its own.
 * @returns the exit code: `run`'s, 0 after --help, 2 after a UsageError, whose problems go to standard error
 */
export async function runCommand<F extends Flags>(
  command: Command<F>,
  argv: readonly string[],
  run: (commandLine: CommandLine<F>) => number | Promise<number>,
): Promise<number> {
  try {
    const commandLine = parseCommandLine(command, argv);
    if (commandLine !== "help") return await run(commandLine);
    process.stdout.write(helpText(command));
    return 0;
  } catch (thrown) {
    if (!(thrown instanceof UsageError)) throw thrown;
    process.stderr.write(`${thrown.message}\nAll flags: ${command.name} --help\n`);
    return EXIT_USAGE;
  }
}

/** The same for a program without a main function: exits after --help and on an invalid command line. */
export async function commandLineOrExit<F extends Flags>(
  command: Command<F>,
  argv: readonly string[],
): Promise<CommandLine<F>> {
  let parsed: CommandLine<F> | undefined;
  const exitCode = await runCommand(command, argv, (commandLine) => {
    parsed = commandLine;
    return 0;
  });
  return parsed ?? process.exit(exitCode);
}
