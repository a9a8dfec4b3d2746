import { expect, test } from "bun:test";
import { Random } from "@ingest/testkit";
import { writeApart } from "./write-apart.ts";

const guilty = new Error("guilty");

test("random batches: each element is written once or refused, and the innocent never pay", async () => {
  const random = new Random(7);
  for (let round = 0; round < 300; round++) {
    const elements = Array.from({ length: 1 + random.below(60) }, (_, i) => i);
    const bad = new Set(elements.filter(() => random.chance(0.1)));
    const written: number[] = [];
    const refused = await writeApart(
      elements,
      async (batch) => {
        if (batch.some((element) => bad.has(element))) throw guilty;
        written.push(...batch);
      },
      (error) => error === guilty,
    );
    expect(refused.map(({ element }) => element)).toEqual([...bad]);
    expect(written).toEqual(elements.filter((element) => !bad.has(element)));
  }
});

test("an error that is nobody's fault is thrown", async () => {
  const error = new Error("connection lost");
  const writing = writeApart(
    [1, 2],
    () => Promise.reject(error),
    () => false,
  );
  await expect(writing).rejects.toBe(error);
});
