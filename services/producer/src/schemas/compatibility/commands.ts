// What `bun run schemas` prints, as text, and its exit codes.
import { readFileSync } from "node:fs";
import { eventProblems, isEventInput, type ProblemError } from "@ingest/contract";
import { exitCodes } from "@ingest/service";
import { toProblemErrors } from "../problems.ts";
import { SchemaError } from "../schema-document.ts";
import { compareSchemas, type LoadedSchemas, loadSchemas, type Verdict } from "./compare.ts";

export interface CommandResult {
  readonly text: string;
  readonly exitCode: number;
}

/** @param rejectsUnknownTypes events of a type that was removed are refused */
export function check(oldPath: string, newPath: string, rejectsUnknownTypes: boolean): CommandResult {
  return withProblems(() => {
    const old = loadSchemas(oldPath);
    const next = loadSchemas(newPath);
    const verdicts = compareSchemas(old, next);
    const isRefused = (verdict: Verdict) =>
      verdict.result === "refuses" ||
      (verdict.result === "removed" && (rejectsUnknownTypes || next.set.types.includes(verdict.type)));
    const added = next.set.types.filter((type) => !old.set.types.includes(type));
    const refused = verdicts.filter(isRefused);
    const lines = [
      ...verdicts.flatMap((verdict) => describe(verdict, isRefused(verdict))),
      ...added.map((type) => `${type}: new, and not compared`),
      refused.length === 0
        ? "nothing is newly refused, as far as it was decided"
        : `newly refused: ${refused.length} of ${verdicts.length}`,
    ];
    return { text: lines.join("\n"), exitCode: refused.length === 0 ? exitCodes.clean : exitCodes.failed };
  });
}

export function validate(path: string): CommandResult {
  return withProblems(() => {
    const { set } = loadSchemas(path);
    return { text: `${set.size} schemas of ${set.types.length} event types`, exitCode: exitCodes.clean };
  });
}

/** Checks events, one a line, as the producer would with SCHEMA_MODE=enforce. */
export function testEvents(path: string, eventsFile: string): CommandResult {
  return withProblems(() => {
    const schemas = loadSchemas(path);
    const lines = readFileSync(eventsFile, "utf8").split("\n");
    const problems = lines.flatMap((line, index) =>
      line.trim() === "" ? [] : problemsOf(line, schemas).map((problem) => `line ${index + 1}: ${problem}`),
    );
    const count = lines.filter((line) => line.trim() !== "").length;
    return {
      text: [...problems, `${count} events, ${problems.length} problems`].join("\n"),
      exitCode: problems.length === 0 ? exitCodes.clean : exitCodes.failed,
    };
  });
}

function problemsOf(line: string, { set }: LoadedSchemas): string[] {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch (error) {
    return [`not JSON: ${(error as Error).message}`];
  }
  if (!isEventInput(event)) return toLines(eventProblems(event));
  const found = set.find(event.event_type, event.schema_version);
  if (found === "unknown type") return [];
  if (found === "unknown version") return ["/schema_version has no schema of this version"];
  return toLines(toProblemErrors(found.errorsOf(event.payload ?? {}), "/payload"));
}

const toLines = (errors: readonly ProblemError[]) =>
  errors.map(({ pointer, message }) => `${pointer || "the event"} ${message}`);

function describe(verdict: Verdict, isRefused: boolean): string[] {
  const { type, version, result, examples, undecidedAt, tries } = verdict;
  const events = `${type}, ${version === undefined ? "events without schema_version" : `version ${version}`}`;
  switch (result) {
    case "accepts":
      return [`${events}: accepts all that it accepted`];
    case "removed":
      return [
        `${events}: ${isRefused ? "NEWLY REFUSED: the schema was removed" : "removed: no longer checked"}`,
      ];
    case "undecided":
      return [
        `${events}: undecided: the new schema differs at ${undecidedAt}, and none of ${tries} payloads is newly refused`,
      ];
    case "refuses":
      return [
        `${events}: NEWLY REFUSED`,
        ...examples.flatMap(({ payload, rule, pointer, message }) => [
          `  ${pointer} ${message} (${rule})`,
          `    ${JSON.stringify({ event_type: type, ...(version === undefined ? {} : { schema_version: version }), payload })}`,
        ]),
      ];
  }
}

function withProblems(run: () => CommandResult): CommandResult {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    return { text: error.message, exitCode: exitCodes.failed };
  }
}
