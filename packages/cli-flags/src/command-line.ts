// argv → the values of a command's flags, or every problem with them.
import { describeValue, type Flag, type FlagValue, toValue } from "./flag.ts";

export type Flags = Readonly<Record<string, Flag>>;

/** A command as --help shows it. */
export interface Command<F extends Flags = Flags> {
  /** How it is called: `bun run bench`. */
  readonly name: string;
  /** What it does, in a sentence or two. */
  readonly about: string;
  /** `--help` (and `-h`) is added to these. */
  readonly flags: F;
  /** The arguments that are not flags; a command without this takes none. */
  readonly operands?: {
    readonly name: string;
    readonly help: string;
    readonly min: number;
    readonly max?: number;
  };
  /** Who gets the arguments after `--`; a command without this accepts no `--`. */
  readonly passThrough?: string;
  /** The end of --help. */
  readonly notes?: string;
}

export interface CommandLine<F extends Flags> {
  /** A flag without a default is undefined when it is absent; a switch is false. */
  readonly values: {
    readonly [Name in keyof F]:
      | FlagValue<F[Name]>
      | (F[Name] extends { default: string } | { kind: "switch" } ? never : undefined);
  };
  readonly operands: readonly string[];
  /** Everything after `--`. */
  readonly passedThrough: readonly string[];
}

/** The command line is invalid. Each problem is one line, which names the flag and what it takes. */
export class UsageError extends Error {
  override name = "UsageError";
  readonly problems: readonly string[];

  constructor(...problems: string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/**
 * Parses a command line. Of a flag that is given twice the last value counts.
 * @returns "help" when --help or -h is among the arguments
 * @throws UsageError with every problem
 */
export function parseCommandLine<F extends Flags>(
  command: Command<F>,
  argv: readonly string[],
): CommandLine<F> | "help" {
  const end = argv.indexOf("--");
  const args = end < 0 ? argv : argv.slice(0, end);
  if (args.includes("--help") || args.includes("-h")) return "help";

  const { flags } = command;
  const problems: string[] = [];
  const operands: string[] = [];
  const values = defaultsOf(flags);
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (!/^-./.test(arg)) {
      operands.push(arg);
      continue;
    }
    const [, written, name, , inline] = /^(-+([^=]*))(=(.*))?$/s.exec(arg)!;
    const flag = arg.startsWith("--") && Object.hasOwn(flags, name!) ? flags[name!] : undefined;
    if (flag === undefined) {
      problems.push(`${written} is not a flag of ${command.name}${suggestion(flags, name!)}`);
    } else if (flag.kind === "switch") {
      if (inline === undefined) values[name!] = true;
      else problems.push(`${written} takes no value, got "${inline}"`);
    } else {
      // `--out --quick` lacks a value: a flag is never the value of another.
      const text = inline ?? (args[i + 1]?.startsWith("--") ? undefined : args[++i]);
      const value = text ? toValue(flag, text) : undefined;
      if (!text) problems.push(`${written} needs a value: ${describeValue(flag)}`);
      else if (value === undefined) problems.push(`${written} must be ${describeValue(flag)}, got "${text}"`);
      else values[name!] = value;
    }
  }
  problems.push(...operandProblems(command, operands));
  if (end >= 0 && command.passThrough === undefined) problems.push(`${command.name} accepts no "--"`);
  if (problems.length > 0) throw new UsageError(...problems);
  return {
    // Each value was parsed by its own flag's kind.
    values: values as CommandLine<F>["values"],
    operands,
    passedThrough: end < 0 ? [] : argv.slice(end + 1),
  };
}

function defaultsOf(flags: Flags): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(flags)) {
    if (flag.kind === "switch") values[name] = false;
    if (flag.default === undefined) continue;
    values[name] = toValue(flag, flag.default);
    if (values[name] === undefined)
      throw new Error(`--${name} does not accept its default "${flag.default}"`);
  }
  return values;
}

function operandProblems({ name, operands: expected }: Command, operands: readonly string[]): string[] {
  if (expected === undefined) return operands.map((arg) => `"${arg}" is not a flag of ${name}`);
  if (operands.length < expected.min)
    return [`${name} needs ${expected.min} or more ${expected.name}, got ${operands.length}`];
  const surplus = operands.slice(expected.max);
  return expected.max === undefined ? [] : surplus.map((arg) => `"${arg}" is one ${expected.name} too many`);
}

function suggestion(flags: Flags, name: string): string {
  const near = Object.keys(flags).find((known) => known.startsWith(name) || name.startsWith(known));
  return near === undefined || name === "" ? "" : `; did you mean --${near}?`;
}
