// The text of --help.
import type { Command } from "./command-line.ts";
import type { Flag } from "./flag.ts";

export function helpText({ name, about, flags, operands, passThrough, notes }: Command): string {
  const entries: [left: string, help: string][] = Object.entries(flags).map(([flagName, flag]) => [
    `--${flagName}${placeholder(flag)}`,
    flag.default === undefined ? flag.help : `${flag.help} (default ${flag.default})`,
  ]);
  if (operands !== undefined) entries.unshift([operands.name, operands.help]);
  if (passThrough !== undefined) entries.push(["-- ARGS…", passThrough]);
  entries.push(["--help", "print this text"]);

  const width = Math.max(...entries.map(([left]) => left.length));
  const indent = " ".repeat(width + 4);
  const usage = [
    name,
    "[flags]",
    ...(operands ? [operandUsage(operands)] : []),
    ...(passThrough ? ["[-- ARGS…]"] : []),
  ];
  return [
    about,
    "",
    `  ${usage.join(" ")}`,
    "",
    ...entries.map(([left, help]) => `  ${left.padEnd(width)}  ${help.replaceAll("\n", `\n${indent}`)}`),
    ...(notes === undefined ? [] : ["", notes]),
    "",
  ].join("\n");
}

function placeholder(flag: Flag): string {
  if (flag.kind === "switch") return "";
  if (flag.kind === "choice") return ` ${flag.of.join("|")}`;
  return ` ${flag.value ?? { integer: "N", number: "N", duration: "TIME", text: "TEXT", url: "URL", list: "LIST" }[flag.kind]}`;
}

function operandUsage({ name, min, max }: NonNullable<Command["operands"]>): string {
  const words = max === 1 ? name : `${name}…`;
  return min === 0 ? `[${words}]` : words;
}
