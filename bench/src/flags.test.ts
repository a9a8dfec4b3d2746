import { describe, expect, test } from "bun:test";
import { flags, helpText, readFlags, UsageError } from "./flags.ts";

function problemsOf(...argv: string[]): readonly string[] {
  try {
    readFlags(argv);
    return [];
  } catch (thrown) {
    if (thrown instanceof UsageError) return thrown.problems;
    throw thrown;
  }
}

describe("readFlags", () => {
  test.each([
    ["--requests", "10", 10],
    ["--requests", "1_000_000", 1_000_000],
    ["--duration", "30", 30_000],
    ["--duration", "1.5s", 1500],
    ["--duration", "250ms", 250],
    ["--duration", "2m", 120_000],
    ["--rate", "0.5", 0.5],
    ["--client", "fetch", "fetch"],
    ["--url", "https://host:8443/base", "https://host:8443/base"],
  ])("%s %s is %p, with a space and with an equals sign", (flag, text, value) => {
    const name = flag.slice(2) as keyof typeof flags;
    expect(readFlags([flag, text])[name]).toBe(value);
    expect(readFlags([`${flag}=${text}`])[name]).toBe(value);
  });

  test("the last of a flag given twice counts", () => {
    expect(readFlags(["--users", "1", "--users", "2"]).users).toBe(2);
  });

  test.each([
    [["--requests", "0"], "--requests must be a whole number from 1"],
    [["--requests", "1.5"], "--requests must be"],
    [["--requests=-1"], "--requests must be"],
    [["--requests"], "--requests needs a value"],
    [["--concurrency", "100000"], "--concurrency must be a whole number from 1 to 65536"],
    [["--duration", "soon"], "--duration must be a time"],
    [["--duration", "0s"], "--duration must be a time"],
    [["--duration", "1000h"], "--duration must be a time"],
    [["--rate", "0"], "--rate must be"],
    [["--durability", "maybe"], "--durability must be accepted or durable or stored"],
    [["--url", "localhost:3000"], "--url must be an http:// or https:// address"],
    [["--verify=yes"], "--verify takes no value"],
    [["--request", "5"], "--request is not a flag of the bench; did you mean --requests?"],
    [["--nonsense"], "--nonsense is not a flag of the bench; see --help"],
    [["--constructor", "5"], "--constructor is not a flag"],
    [["-n", "5"], "-n is not a flag"],
    [["http://localhost"], '"http://localhost" is not a flag'],
  ])("%j is refused, and the flag is named", (argv, words) => {
    expect(problemsOf(...argv)[0]).toStartWith(words);
  });

  test("every problem is told at once", () => {
    expect(problemsOf("--requests", "x", "--what", "--client", "curl")).toHaveLength(3);
  });
});

test("--help has every flag, and each default in it is one that the flag takes", () => {
  const help = helpText();
  for (const name of Object.keys(flags)) expect(help).toContain(`--${name}`);
  expect(problemsOf()).toEqual([]);
});
