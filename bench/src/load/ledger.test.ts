import { expect, test } from "bun:test";
import { EventOutcome, Ledger } from "./ledger.ts";

test("keeps outcome and occurrences apart, across chunks", () => {
  const ledger = new Ledger();
  const far = 3_000_000;
  ledger.setOutcomes(0, 10, EventOutcome.Unknown);
  ledger.setOutcome(far, EventOutcome.Accepted);
  expect(ledger.size).toBe(far + 1);
  expect(ledger.addOccurrence(far)).toBe(1);
  expect(ledger.addOccurrence(far)).toBe(2);
  ledger.setOutcome(far, EventOutcome.Refused);
  expect([ledger.outcomeOf(far), ledger.occurrencesOf(far)]).toEqual([EventOutcome.Refused, 2]);
  expect([ledger.outcomeOf(9), ledger.occurrencesOf(9)]).toEqual([EventOutcome.Unknown, 0]);
  expect([ledger.outcomeOf(10), ledger.outcomeOf(far + 1), ledger.occurrencesOf(far + 1)]).toEqual([
    EventOutcome.Unsent,
    EventOutcome.Unsent,
    0,
  ]);
});

test("occurrences stop at 63 and leave the outcome alone", () => {
  const ledger = new Ledger();
  ledger.setOutcome(0, EventOutcome.Accepted);
  for (let i = 0; i < 100; i++) ledger.addOccurrence(0);
  expect(ledger.occurrencesOf(0)).toBe(63);
  expect(ledger.outcomeOf(0)).toBe(EventOutcome.Accepted);
});
