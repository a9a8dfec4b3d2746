import { expect, test } from "bun:test";
import { Fate, Ledger } from "./ledger.ts";

test("keeps fate and sightings apart, over several chunks", () => {
  const ledger = new Ledger();
  const far = 3_000_000;
  ledger.setFates(0, 10, Fate.Unknown);
  ledger.setFate(far, Fate.Accepted);
  expect(ledger.size).toBe(far + 1);
  expect(ledger.addSighting(far)).toBe(1);
  expect(ledger.addSighting(far)).toBe(2);
  ledger.setFate(far, Fate.Refused);
  expect([ledger.fateOf(far), ledger.sightingsOf(far)]).toEqual([Fate.Refused, 2]);
  expect([ledger.fateOf(9), ledger.sightingsOf(9)]).toEqual([Fate.Unknown, 0]);
  expect([ledger.fateOf(10), ledger.fateOf(far + 1), ledger.sightingsOf(far + 1)]).toEqual([
    Fate.Unsent,
    Fate.Unsent,
    0,
  ]);
});

test("sightings end at 63 and leave the fate alone", () => {
  const ledger = new Ledger();
  ledger.setFate(0, Fate.Accepted);
  for (let i = 0; i < 100; i++) ledger.addSighting(0);
  expect(ledger.sightingsOf(0)).toBe(63);
  expect(ledger.fateOf(0)).toBe(Fate.Accepted);
});
