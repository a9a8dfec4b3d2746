import { expect, test } from "bun:test";
import { Random } from "@ingest/testkit";
import { InFlightTable } from "./in-flight-table.ts";

test("behaves as an ordered map, whatever is removed when", () => {
  for (let seed = 1; seed <= 50; seed++) {
    const random = new Random(seed);
    const inFlight = new InFlightTable<{ n: number }>(4);
    const model = new Map<number, { n: number }>();
    for (let step = 0; step < 500; step++) {
      if (random.next() < 0.55) {
        const entry = { n: step };
        model.set(inFlight.nextTicket, entry);
        inFlight.add(entry);
      } else {
        const ticket = random.below(inFlight.nextTicket + 2);
        expect(inFlight.remove(ticket)).toBe(model.get(ticket)!);
        model.delete(ticket);
      }
      expect(inFlight.count).toBe(model.size);
      expect(inFlight.oldestTicket).toBe([...model.keys()][0] ?? inFlight.nextTicket);
    }
    expect([...inFlight.entries()]).toEqual([...model]);
  }
});

test("an entry can be replaced, unless it was removed", () => {
  const inFlight = new InFlightTable<{ n: number }>(2);
  inFlight.add({ n: 1 });
  inFlight.replace(0, { n: 2 });
  inFlight.replace(5, { n: 3 });
  expect(inFlight.remove(0)).toEqual({ n: 2 });
  inFlight.replace(0, { n: 4 });
  expect([inFlight.count, inFlight.oldest()]).toEqual([0, undefined]);
});
