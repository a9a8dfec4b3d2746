import { expect, test } from "bun:test";
import { KafkaError, type KafkaErrorCode } from "@ingest/kafka";
import { judge } from "./refused-batch.ts";

/** Records by ticket, as `partition code`. */
const judged = (records: [partition: number, code: KafkaErrorCode][], isComplete = true) => {
  const refused = records.map(([partition, code], ticket) => ({
    ticket,
    topic: "events",
    partition,
    error: new KafkaError(code, code),
  }));
  const { guilty, suspects, hasUnexplained } = judge(refused, isComplete);
  const tickets = (list: typeof refused) => list.map(({ ticket }) => ticket);
  return { guilty: tickets(guilty), suspects: tickets(suspects), hasUnexplained };
};

test("the only refused record of its partition is at fault, once every outcome is known", () => {
  expect(judged([[0, "invalid_record"]])).toEqual({ guilty: [0], suspects: [], hasUnexplained: false });
  expect(judged([[0, "invalid_record"]], false)).toEqual({ guilty: [], suspects: [], hasUnexplained: true });
});

test("so is the only one that the broker names", () => {
  expect(
    judged(
      [
        [0, "batch_refused"],
        [0, "invalid_record"],
        [0, "batch_refused"],
      ],
      false,
    ),
  ).toEqual({
    guilty: [1],
    suspects: [],
    hasUnexplained: false,
  });
});

test("several that are named are suspects: the client gives them one code for different reasons", () => {
  expect(
    judged([
      [0, "batch_refused"],
      [0, "invalid_record"],
      [0, "invalid_record"],
    ]),
  ).toEqual({
    guilty: [],
    suspects: [1, 2],
    hasUnexplained: false,
  });
});

test("of records that were refused as one, nothing is known", () => {
  expect(
    judged([
      [0, "message_too_large"],
      [0, "message_too_large"],
      [1, "invalid_record"],
    ]),
  ).toEqual({
    guilty: [2],
    suspects: [],
    hasUnexplained: true,
  });
});
