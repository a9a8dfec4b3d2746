import { describe, expect, test } from "bun:test";
import { type Command, type CommandLine, parseCommandLine, UsageError } from "./command-line.ts";
import { helpText } from "./help.ts";
import { runCommand } from "./run-command.ts";

const flags = {
  requests: { kind: "integer", min: 1, help: "how many" },
  concurrency: { kind: "integer", min: 1, max: 65_536, default: "64", help: "connections" },
  duration: { kind: "duration", help: "how long" },
  rate: { kind: "number", max: 1000, unit: "requests a second", help: "how fast" },
  client: { kind: "choice", of: ["socket", "fetch"], default: "socket", help: "which client" },
  only: { kind: "list", of: ["a", "b", "c"], help: "which parts" },
  url: { kind: "url", help: "where" },
  out: { kind: "text", value: "FILE", help: "a file" },
  verify: { kind: "switch", help: "check" },
} as const;
const command = { name: "bun run it", about: "Does it.", flags } satisfies Command<typeof flags>;

function parse(...argv: string[]): CommandLine<typeof flags> {
  return parseCommandLine(command, argv) as CommandLine<typeof flags>;
}

function problemsOf(argv: readonly string[], of: Command = command): readonly string[] {
  try {
    parseCommandLine(of, argv);
    return [];
  } catch (thrown) {
    if (thrown instanceof UsageError) return thrown.problems;
    throw thrown;
  }
}

describe("values", () => {
  test.each([
    ["--requests", "10", 10],
    ["--requests", "1_000_000", 1_000_000],
    ["--duration", "30", 30_000],
    ["--duration", "1.5s", 1500],
    ["--duration", "250ms", 250],
    ["--duration", "2m", 120_000],
    ["--rate", "0.5", 0.5],
    ["--client", "fetch", "fetch"],
    ["--only", "a, c", ["a", "c"]],
    ["--url", "https://host:8443/base", "https://host:8443/base"],
    ["--out", "-", "-"],
  ])("%s %s is %p, with a space and with an equals sign", (flag, text, value) => {
    const name = flag.slice(2) as keyof typeof flags;
    expect(parse(flag, text).values[name] as unknown).toEqual(value);
    expect(parse(`${flag}=${text}`).values[name] as unknown).toEqual(value);
  });

  test("absent flags have their default, switches are off", () => {
    expect(parse().values).toEqual({ concurrency: 64, client: "socket", verify: false } as never);
    expect(parse("--verify").values.verify).toBe(true);
  });

  test("the last value of a flag given twice counts", () => {
    expect(parse("--requests", "1", "--requests", "2").values.requests).toBe(2);
  });
});

describe("problems", () => {
  test.each([
    [["--requests", "0"], "--requests must be a whole number from 1, got"],
    [["--requests", "1.5"], "--requests must be"],
    [["--requests", "NaN"], "--requests must be"],
    [["--requests", "1e3"], "--requests must be"],
    [["--requests", "-1"], "--requests must be"],
    [["--requests=-1"], "--requests must be"],
    [["--requests", "99999999999999999999"], "--requests must be"],
    [["--requests"], "--requests needs a value: a whole number from 1"],
    [["--requests="], "--requests needs a value"],
    [["--requests", ""], "--requests needs a value"],
    [["--out", "--verify"], "--out needs a value: a file"],
    [["--concurrency", "100000"], "--concurrency must be a whole number from 1 to 65536"],
    [["--duration", "soon"], "--duration must be a duration"],
    [["--duration", "0s"], "--duration must be a duration"],
    [["--duration", "1000h"], "--duration must be a duration"],
    [["--rate", "0"], "--rate must be a number of requests a second above 0, at most 1000"],
    [["--client", "curl"], "--client must be socket or fetch"],
    [["--only", "a,d"], "--only must be one or more of a, b, c, separated by commas"],
    [["--url", "localhost:3000"], "--url must be an http:// or https:// URL"],
    [["--verify=yes"], "--verify takes no value"],
    [["--request", "5"], "--request is not a flag of bun run it; did you mean --requests?"],
    [["--nonsense"], "--nonsense is not a flag of bun run it"],
    [["--constructor", "5"], "--constructor is not a flag"],
    [["-n", "5"], "-n is not a flag"],
    [["-verify"], "-verify is not a flag of bun run it; did you mean --verify?"],
    [["http://localhost"], '"http://localhost" is not a flag'],
    [["--", "x"], 'bun run it accepts no "--"'],
  ])("%j: %s", (argv, start) => {
    expect(problemsOf(argv)[0]).toStartWith(start);
  });

  test("all problems are listed", () => {
    expect(problemsOf(["--requests", "x", "--what", "--client", "curl"])).toHaveLength(3);
  });

  test("a default that its flag does not accept is a bug of the command", () => {
    const of: Command = { ...command, flags: { n: { kind: "integer", min: 1, default: "0", help: "" } } };
    expect(() => parseCommandLine(of, [])).toThrow('--n does not accept its default "0"');
  });
});

describe("operands and what follows --", () => {
  const other = {
    name: "it",
    about: "",
    flags,
    operands: { name: "FILE", help: "a file", min: 1, max: 2 },
    passThrough: "for bun test",
  } satisfies Command<typeof flags>;

  test("are kept apart from flags", () => {
    expect(parseCommandLine(other, ["a", "--verify", "b", "--", "--requests", "--help"])).toMatchObject({
      values: { verify: true },
      operands: ["a", "b"],
      passedThrough: ["--requests", "--help"],
    });
  });

  test("too few and too many are named", () => {
    expect(problemsOf([], other)).toEqual(["it needs 1 or more FILE, got 0"]);
    expect(problemsOf(["a", "b", "c"], other)).toEqual(['"c" is one FILE too many']);
  });
});

test("--help lists every flag with its default", () => {
  const help = helpText(command);
  for (const name of Object.keys(flags)) expect(help).toContain(`--${name}`);
  expect(help).toContain("connections (default 64)");
  expect(help).toContain("--client socket|fetch");
  expect(parseCommandLine(command, ["--nonsense", "-h"])).toBe("help");
});

test("an invalid command line is exit code 2, whether found by its flags or by the command", async () => {
  const never = () => {
    throw new Error("was run");
  };
  expect(await runCommand(command, ["--requests", "x"], never)).toBe(2);
  const refuses = () => {
    throw new UsageError("--out and --url exclude each other");
  };
  expect(await runCommand(command, [], refuses)).toBe(2);
  expect(await runCommand(command, [], ({ values }) => values.concurrency)).toBe(64);
  await expect(runCommand(command, [], never)).rejects.toThrow("was run");
});
