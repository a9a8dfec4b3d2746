// The callers. Each is one user, who sends events in order and retries each until it is acknowledged.
import type { Random } from "@ingest/testkit";
import type { Acknowledgement, Ledger } from "./ledger.ts";

export interface LoadOptions {
  url: string;
  ledger: Ledger;
  random: Random;
  /** The index of the producer's current process. */
  processIndex(): number;
  /** A user's longest pause between two requests, ms. */
  thinkMs: number;
}

/** A paused producer does not respond: the caller gives up and retries. */
const REQUEST_TIMEOUT_MS = 15_000;
const RETRY_PAUSE_MS = 200;
const PADDING = "x".repeat(120);
const BATCH_SHARE = 0.1;
const BATCH_EVENTS = 5;

/** How often each durability is requested. */
const shares = [
  { durability: "accepted", weight: 5 },
  { durability: "durable", weight: 3 },
  { durability: "stored", weight: 2 },
] as const;
type Durability = (typeof shares)[number]["durability"];

/** Starts the callers. @returns stops them; resolves once every event has been acknowledged */
export function startLoad(options: LoadOptions): () => Promise<void> {
  let isStopping = false;
  const users = Array.from({ length: options.ledger.users }, (_, user) =>
    sendAsUser(user, { ...options, random: options.random.fork() }, () => isStopping),
  );
  return async () => {
    isStopping = true;
    await Promise.all(users);
  };
}

async function sendAsUser(user: number, options: LoadOptions, isStopping: () => boolean): Promise<void> {
  const { ledger, random } = options;
  while (!isStopping()) {
    const { durability } = random.weighted(shares);
    const count = random.chance(BATCH_SHARE) ? BATCH_EVENTS : 1;
    const pending = Array.from({ length: count }, () => ledger.add(user));
    while (pending.length > 0) {
      const acknowledged = await send(user, pending, durability, options);
      // Order: an event is not acknowledged before those ahead of it, so all from the first rejected one are retried.
      pending.splice(0, acknowledged);
      for (const n of pending) ledger.retry(user, n);
      if (pending.length > 0) await Bun.sleep(RETRY_PAUSE_MS * random.between(0.5, 1.5));
    }
    await Bun.sleep(random.between(0, options.thinkMs));
  }
}

/** Sends events of one user in one request. @returns how many of them, from the first, were acknowledged */
async function send(
  user: number,
  numbers: readonly number[],
  durability: Durability,
  options: LoadOptions,
): Promise<number> {
  const { ledger, url } = options;
  const events = numbers.map((n) => ({
    event_id: ledger.idOf(user, n),
    event_type: "fault_run",
    user_id: `user-${user}`,
    payload: { n, padding: PADDING },
  }));
  const isSingle = events.length === 1;
  const processIndex = options.processIndex();
  try {
    const path = isSingle ? "register_event" : "register_events";
    const response = await fetch(`${url}/${path}?durability=${durability}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(isSingle ? events[0] : events),
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
    const body = (await response.json()) as {
      status?: unknown;
      code?: string;
      results?: { status: string }[];
    };
    const statuses = isSingle ? [String(body.status)] : (body.results?.map(({ status }) => status) ?? []);
    let acknowledged = 0;
    for (const status of statuses) {
      if (!isAcknowledgement(status)) break;
      ledger.acknowledge(user, numbers[acknowledged]!, status, processIndex);
      acknowledged++;
    }
    if (acknowledged < numbers.length)
      ledger.countRejection(`${response.status} ${body.code ?? statuses[acknowledged] ?? "without a code"}`);
    return acknowledged;
  } catch (error) {
    ledger.countRejection(
      (error as Error).name === "TimeoutError" ? "request timed out" : "connection failed",
    );
    return 0;
  }
}

function isAcknowledgement(status: string): status is Exclude<Acknowledgement, "none"> {
  return status === "accepted" || status === "durable" || status === "stored";
}
