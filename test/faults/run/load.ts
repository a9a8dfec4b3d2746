// Callers: each a user that sends its events one after the other, each until it is taken, asking for one promise or other.
import type { Random } from "@ingest/testkit";
import type { Answer, Ledger } from "./ledger.ts";

export interface LoadOptions {
  url: string;
  ledger: Ledger;
  random: Random;
  /** Which process of the producer runs now. */
  life(): number;
  /** Longest pause of a user between two events, ms. */
  thinkMs: number;
}

/** A stopped producer answers nothing: the caller gives up and sends the event again. */
const REQUEST_TIMEOUT_MS = 15_000;
const RETRY_PAUSE_MS = 200;
const PADDING = "x".repeat(120);
const BATCH_SHARE = 0.1;
const BATCH_EVENTS = 5;

const shares = [
  { promise: "accepted", weight: 5 },
  { promise: "durable", weight: 3 },
  { promise: "stored", weight: 2 },
] as const;
type Promised = (typeof shares)[number]["promise"];

/** Begins to send. @returns stops it; resolves once every event that was begun has its answer */
export function startLoad(options: LoadOptions): () => Promise<void> {
  let isOver = false;
  const users = Array.from({ length: options.ledger.users }, (_, user) =>
    sendAsUser(user, { ...options, random: options.random.fork() }, () => isOver),
  );
  return async () => {
    isOver = true;
    await Promise.all(users);
  };
}

async function sendAsUser(user: number, options: LoadOptions, isOver: () => boolean): Promise<void> {
  const { ledger, random } = options;
  while (!isOver()) {
    const { promise } = random.weighted(shares);
    const count = random.chance(BATCH_SHARE) ? BATCH_EVENTS : 1;
    const open = Array.from({ length: count }, () => ledger.open(user));
    while (open.length > 0) {
      const taken = await send(user, open, promise, options);
      // A later event must not be taken for good before an earlier one: what follows a gap is sent again too.
      open.splice(0, taken);
      for (const n of open) ledger.repeated(user, n);
      if (open.length > 0) await Bun.sleep(RETRY_PAUSE_MS * random.between(0.5, 1.5));
    }
    await Bun.sleep(random.between(0, options.thinkMs));
  }
}

/** Sends events of one user together. @returns how many of them, from the first, were taken */
async function send(
  user: number,
  open: readonly number[],
  promise: Promised,
  options: LoadOptions,
): Promise<number> {
  const { ledger, url } = options;
  const events = open.map((n) => ({
    event_id: ledger.idOf(user, n),
    event_type: "fault_run",
    user_id: `user-${user}`,
    payload: { n, padding: PADDING },
  }));
  const isOne = events.length === 1;
  const life = options.life();
  try {
    const response = await fetch(
      `${url}/${isOne ? "register_event" : "register_events"}?durability=${promise}`,
      {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(isOne ? events[0] : events),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      },
    );
    const body = (await response.json()) as {
      status?: unknown;
      code?: string;
      results?: { status: string }[];
    };
    const results = isOne ? [String(body.status)] : (body.results?.map(({ status }) => status) ?? []);
    let taken = 0;
    for (const status of results) {
      if (!isPromise(status)) break;
      ledger.answered(user, open[taken]!, status, life);
      taken++;
    }
    if (taken < open.length) ledger.other(`${response.status} ${body.code ?? results[taken] ?? "?"}`);
    return taken;
  } catch (error) {
    ledger.other((error as Error).name === "TimeoutError" ? "no answer in time" : "no connection");
    return 0;
  }
}

function isPromise(status: string): status is Exclude<Answer, "none"> {
  return status === "accepted" || status === "durable" || status === "stored";
}
