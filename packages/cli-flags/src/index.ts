// Command lines: each flag is declared once, for parsing, for error messages and for --help. Only built-in modules, so
// that scripts can use it by its path before `bun install` has run.
export { type Command, type CommandLine, parseCommandLine, UsageError } from "./command-line.ts";
export type { Flag } from "./flag.ts";
export { helpText } from "./help.ts";
export { commandLineOrExit, runCommand } from "./run-command.ts";
