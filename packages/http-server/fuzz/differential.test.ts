// Mutated streams of requests, through this server and through node:http. FUZZ_STREAMS sets how many, FUZZ_SEED the first
// seed: each stream has a seed of its own, which a failure names.
import { expect, test } from "bun:test";
import { Random } from "@ingest/testkit";
import { compareCuts, compareWithNode } from "./compare.ts";
import { corpus } from "./corpus.ts";
import { NodeServer } from "./node-server.ts";
import { OwnServer } from "./own-server.ts";
import { cut, randomStream } from "./streams.ts";

const STREAMS = Number(process.env.FUZZ_STREAMS ?? 4_000);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const BATCH = 500;
const MAX_SHOWN = 5;
/** So many streams, and then one also with handlers that respond late. */
const SLOW_EVERY = 4;
/** Time for a batch on a machine under load, ms. */
const BATCH_TIMEOUT_MS = 10_000;

/** @returns how many requests were accepted from these streams, and what breaks the rule */
async function readAll(
  streams: readonly { name: string; text: string }[],
  node: NodeServer,
  random: Random,
): Promise<{ accepted: number; faults: string[] }> {
  const own = new OwnServer();
  const bytes = streams.map(({ text }) => Buffer.from(text, "latin1"));
  const outcomes = await node.read(bytes);
  let accepted = 0;
  const faults: string[] = [];
  for (const [at, { name, text }] of streams.entries()) {
    const whole = own.read([bytes[at]!]);
    accepted += whole.requests.length;
    const fault =
      compareWithNode(whole, outcomes[at]!, text) ??
      compareCuts(whole, own.read(cut(random, bytes[at]!))) ??
      (at % SLOW_EVERY === 0 ? compareCuts(whole, await own.readSlowly(cut(random, bytes[at]!))) : undefined);
    if (fault !== undefined) faults.push(`${name} ${JSON.stringify(text)}\n${fault}`);
  }
  return { accepted, faults };
}

test(
  `${STREAMS} streams from seed ${SEED} on are read as llhttp reads them, however they are cut`,
  async () => {
    using node = new NodeServer();
    let accepted = 0;
    let count = 0;
    const faults: string[] = [];
    for (let from = 0; from < STREAMS; from += BATCH) {
      const seeds = Array.from({ length: Math.min(BATCH, STREAMS - from) }, (_, n) => SEED + from + n);
      const streams = seeds.map((seed) => ({ name: `seed ${seed}`, text: randomStream(new Random(seed)) }));
      const result = await readAll(streams, node, new Random(SEED + from));
      accepted += result.accepted;
      count += streams.length;
      faults.push(...result.faults);
    }
    expect(faults.slice(0, MAX_SHOWN).join("\n\n"), `${faults.length} faults`).toBe("");
    // Mutations that no parser accepts would prove nothing.
    expect(accepted / count).toBeGreaterThan(0.5);
  },
  Math.max(30_000, (STREAMS / BATCH) * BATCH_TIMEOUT_MS),
);

test("the streams that once broke the rule keep it, wherever they are cut", async () => {
  using node = new NodeServer();
  const own = new OwnServer();
  const outcomes = await node.read(corpus.map(({ bytes }) => Buffer.from(bytes, "latin1")));
  for (const [at, { name, bytes }] of corpus.entries()) {
    const buffer = Buffer.from(bytes, "latin1");
    const whole = own.read([buffer]);
    expect(compareWithNode(whole, outcomes[at]!, bytes)).toBeUndefined();
    for (let place = 1; place < buffer.length; place++) {
      const outcome = own.read([buffer.subarray(0, place), buffer.subarray(place)]);
      expect([name, place, compareCuts(whole, outcome)]).toEqual([name, place, undefined]);
    }
  }
});
