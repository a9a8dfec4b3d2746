// Random failures: every event is delivered at least once or reported, whatever happens in between.
import { describe, expect, test } from "bun:test";
import { Random } from "@ingest/testkit";
import { createClientOn } from "./client.ts";
import { FakePage, FakePlatform, type Respond, respondWith, respondWithResults } from "./client-fixture.ts";
import type { ClientOptions, EventInput, EventStore, SavedEvent } from "./types.ts";

const SEEDS = Number(process.env.CLIENT_MODEL_SEEDS ?? 150);
const FIRST_SEED = Number(process.env.CLIENT_MODEL_SEED ?? 1);

/** A producer that fails at random, and knows which events it took, in the order of their first arrival. */
class Producer {
  readonly taken = new Map<string, EventInput>();
  isHealthy = false;

  constructor(
    private readonly random: Random,
    /** Refuse single events of a batch, which may change the order. */
    private readonly refusesSome: boolean,
  ) {}

  readonly respond: Respond = (request) => {
    const { random } = this;
    if (this.isHealthy) return this.#takeAll(request);
    const failures: Respond[] = [
      () => Promise.reject(new TypeError("the connection was refused")),
      (request) => {
        this.#takeAll(request);
        throw new TypeError("the connection was cut before the response");
      },
      () => respondWith(503, { code: "overloaded" }, { "retry-after": "2" }),
      () => respondWith(429),
      (request) => {
        if (random.chance(0.5)) this.#takeAll(request);
        return respondWith(504, { code: "outcome_unknown" });
      },
      () => respondWith(200, "<html>"),
      (request) => (request.events.length > 3 ? respondWith(413) : this.#takeAll(request)),
      ...(this.refusesSome ? [this.#takeSome] : []),
    ];
    return random.chance(0.4) ? this.#takeAll(request) : random.pick(failures)(request);
  };

  readonly #takeSome: Respond = (request) =>
    respondWithResults(request, (event) => {
      const status = this.random.pick(["accepted", "retry", "unknown", "invalid"] as const);
      if (status === "accepted" || (status === "unknown" && this.random.chance(0.5))) this.#take(event);
      return { status };
    });

  #takeAll(request: Parameters<Respond>[0]) {
    for (const event of request.events) this.#take(event);
    return respondWithResults(request);
  }

  #take(event: EventInput): void {
    if (!this.taken.has(event.event_id!)) this.taken.set(event.event_id!, event);
  }
}

class MemoryStore implements EventStore {
  readonly events = new Map<string, string>();
  #isLoaded = false;

  /** What a process that starts again finds. */
  reopened(): MemoryStore {
    const store = new MemoryStore();
    for (const [id, json] of this.events) store.events.set(id, json);
    return store;
  }

  async load(): Promise<SavedEvent[]> {
    if (this.#isLoaded) return [];
    this.#isLoaded = true;
    return [...this.events].map(([id, json]) => ({ id, json }));
  }

  add({ id, json }: SavedEvent): void {
    this.events.set(id, json);
  }

  remove(ids: readonly string[]): void {
    for (const id of ids) this.events.delete(id);
  }

  async close(): Promise<void> {}
}

async function run(
  seed: number,
  { refusesSome, restarts, inPage }: { refusesSome: boolean; restarts: boolean; inPage: boolean },
) {
  const random = new Random(seed);
  const producer = new Producer(random.fork(), refusesSome);
  const tracked: { id: string; user: string }[] = [];
  const reported = new Set<string>();
  const rejected = new Set<string>();
  let store = new MemoryStore();
  let platform: FakePlatform;
  let generation = 0;

  const start = () => {
    const mine = ++generation;
    platform = new FakePlatform();
    platform.page = inPage ? new FakePage() : undefined;
    platform.random = () => random.next();
    // A process that was killed has sent what it has sent, and learns nothing more.
    const from = platform;
    from.respond = (request) => (mine === generation ? producer.respond(request) : new Promise(() => {}));
    const options: ClientOptions = {
      url: "http://producer",
      lingerMs: random.below(200),
      maxBatchEvents: 1 + random.below(8),
      maxBatchBytes: 200 + random.below(2_000),
      maxQueueEvents: 10 + random.below(30),
      whenFull: random.pick(["reject", "drop_oldest"]),
      compressAboveBytes: Number.POSITIVE_INFINITY,
      onInvalid: ({ event_id }) => void reported.add(event_id!),
      onDropped: ({ event_id }) => void reported.add(event_id!),
      ...(restarts && { store }),
    };
    return createClientOn(platform, options);
  };

  let client = start();
  for (let step = 0; step < 60; step++) {
    for (let i = random.below(4); i > 0; i--) {
      const user = `user-${random.below(3)}`;
      const { status, eventId } = client.track("t", { x: "x".repeat(random.below(100)) }, { userId: user });
      tracked.push({ id: eventId, user });
      if (status === "rejected") rejected.add(eventId);
    }
    await platform!.clock.advance(random.below(3_000));
    if (random.chance(0.1)) platform!.page?.hide();
    if (random.chance(0.1)) platform!.page?.goOnline();
    if (restarts && random.chance(0.1)) {
      store = store.reopened();
      client = start();
    }
  }
  producer.isHealthy = true;
  const closed = client.close({ timeoutMs: 1_000_000 });
  await platform!.clock.advance(1_000_000);
  expect(await closed).toEqual({ pending: 0 });

  const lost = tracked.filter(({ id }) => !producer.taken.has(id) && !reported.has(id) && !rejected.has(id));
  expect(lost, `seed ${seed}`).toEqual([]);
  expect([...rejected].filter((id) => producer.taken.has(id))).toEqual([]);
  expect(client.stats()).toMatchObject({ queuedEvents: 0, queuedBytes: 0 });
  if (restarts) expect(store.events.size).toBe(0);
  return { producer, tracked };
}

const seeds = Array.from({ length: SEEDS }, (_, i) => FIRST_SEED + i);

describe("whatever a producer does, each event is delivered or reported", () => {
  test("with refusals of single events", async () => {
    for (const seed of seeds) await run(seed, { refusesSome: true, restarts: false, inPage: true });
  });

  test("with a store, across restarts", async () => {
    for (const seed of seeds) await run(seed, { refusesSome: true, restarts: true, inPage: true });
  });

  test("in the order of each user where the producer refuses whole batches only, and no page is left", async () => {
    for (const seed of seeds) {
      const { producer, tracked } = await run(seed, { refusesSome: false, restarts: true, inPage: false });
      for (const user of ["user-0", "user-1", "user-2"]) {
        const arrived = [...producer.taken.values()].filter((event) => event.user_id === user);
        const sent = tracked.filter((event) => event.user === user && producer.taken.has(event.id));
        expect(
          arrived.map(({ event_id }) => event_id),
          `seed ${seed}`,
        ).toEqual(sent.map(({ id }) => id));
      }
    }
  });
});
