import { describe, expect, test } from "bun:test";
import { EventOutcome } from "../load/ledger.ts";
import { isRefusal, readBatch, readProblemCode, readSingle } from "./responses.ts";

function outcomes() {
  const reported: [number, EventOutcome, string][] = [];
  return {
    reported,
    onEvent: (index: number, outcome: EventOutcome, status: string) =>
      void reported.push([index, outcome, status]),
  };
}

describe("readSingle", () => {
  test.each([
    ['{"status":"accepted","event_id":"e-1"}', EventOutcome.Accepted, "accepted"],
    ['{ "event_id": "e-1", "status": "durable" }', EventOutcome.Accepted, "durable"],
    [
      '{"status":"stored","event_id":"e-1","topic":"t","partition":0,"offset":7}',
      EventOutcome.Accepted,
      "stored",
    ],
    ['{"status":"pondering","event_id":"e-1"}', EventOutcome.Unknown, "pondering"],
  ])("%s", (body, outcome, status) => {
    const o = outcomes();
    expect(readSingle(body, "e-1", o)).toBeUndefined();
    expect(o.reported).toEqual([[0, outcome, status]]);
  });

  test.each([
    ['{"status":"accepted","event_id":"e-2"}', "wrong_event_id"],
    ['{"status":"accepted","event_id":"e-10"}', "wrong_event_id"],
    ['{"status":"accepted"}', "wrong_event_id"],
    ['{"event_id":"e-1"}', "unexpected_body"],
    ["", "unexpected_body"],
    ["<html>", "unexpected_body"],
    ["null", "unexpected_body"],
    ['{"status":"accepted","event_id":"e-1"', "unexpected_body"],
  ])("%j is a %s", (body, problem) => {
    const o = outcomes();
    expect(readSingle(body, "e-1", o)).toBe(problem as "wrong_event_id");
    expect(o.reported).toEqual([]);
  });
});

describe("readBatch", () => {
  const idOf = (index: number) => `e-${index}`;
  const result = (index: number, status = "accepted", event_id: string | null = idOf(index)) => ({
    index,
    event_id,
    status,
  });
  const read = (results: unknown, o = outcomes()) => ({
    problem: readBatch(JSON.stringify({ results }), 3, idOf, o),
    reported: o.reported,
  });

  test("mixed results, in any order", () => {
    const { problem, reported } = read([result(2, "retry"), result(0), result(1, "invalid", null)]);
    expect(problem).toBeUndefined();
    expect(reported.sort()).toEqual([
      [0, EventOutcome.Accepted, "accepted"],
      [1, EventOutcome.Refused, "invalid"],
      [2, EventOutcome.Refused, "retry"],
    ]);
  });

  test.each([
    ["one too few", [result(0), result(1)], 2],
    ["one twice", [result(0), result(1), result(1)], 2],
    ["one too many", [result(0), result(1), result(2), result(3)], 3],
    ["an index of nothing", [result(0), result(1), result(-1)], 2],
    ["an index that is no number", [result(0), result(1), { ...result(2), index: "2" }], 2],
    ["a result that is none", [result(0), result(1), null], 2],
  ])("%s: unexpected, and the other results count", (_, results, count) => {
    const { problem, reported } = read(results);
    expect(problem).toBe("unexpected_body");
    expect(reported).toHaveLength(count);
  });

  test("an accepted event under another's id is not accepted", () => {
    const { problem, reported } = read([result(0), result(1, "accepted", "other"), result(2)]);
    expect(problem).toBe("wrong_event_id");
    expect(reported.map(([index]) => index)).toEqual([0, 2]);
  });

  test.each(["", "[]", "{}", '{"results":{}}'])("%j is unexpected", (body) => {
    expect(readBatch(body, 3, idOf, outcomes())).toBe("unexpected_body");
  });
});

test("a problem's code, where there is one", () => {
  expect(readProblemCode('{"code":"queue_full","status":503}')).toBe("queue_full");
  for (const body of ["", "no", "[]", "{}", '{"code":5}', '{"code":""}'])
    expect(readProblemCode(body)).toBeUndefined();
});

test("statuses after which nothing was accepted", () => {
  expect([301, 400, 401, 413, 422, 429, 501, 503].filter((status) => !isRefusal(status))).toEqual([]);
  expect([500, 502, 504].filter(isRefusal)).toEqual([]);
});
