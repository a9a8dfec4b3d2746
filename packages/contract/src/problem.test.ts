import { expect, test } from "bun:test";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import { Problem, problemCodes, problems, toProblem } from "./problem.ts";

const check = TypeCompiler.Compile(Problem);

test.each(problemCodes)("%s makes a body that matches the Problem schema", (code) => {
  const problem = toProblem(code, "detail", { errors: [{ pointer: "/a", message: "b" }] });
  expect(check.Check(problem)).toBe(true);
  expect(problem.status).toBe(problems[code].status);
});
