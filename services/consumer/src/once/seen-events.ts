// Once-only handling: the ids of a partition's last events are remembered, and a copy of one of them is passed over.
//
// What is promised, exactly. An event is handled once, though it stands in the topic several times, as long as its
// copies have one event_id, stand in one partition (those with the same user_id do; copies without one may not), lie
// less than `windowOffsets` offsets apart, and the consumer that has the partition has the file that remembers. Each
// group remembers for itself: groups that share a file each handle the event once.
// What is not. The event is handled again when the process is killed after the handler is done with it and before that
// is remembered (the next flush, some milliseconds), or when the partition moves to a consumer with another file. Nor does
// the file know of handlers that still run: when one outlasts the time to give its partition up, or the session is lost
// under it, the next owner handles the event beside it (in the same process it waits for it to end).
// Only a handler that stores the id in the same transaction as its effect can do without these.
import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

/** What identifies an event here. */
export interface SeenEvent {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly event: { readonly event_id: string };
  /** Aborted when its partition is given up: nothing is known of what becomes of it until it ends. */
  readonly signal: AbortSignal;
}

/** Who has an id: under way, or handled and not yet remembered. */
interface Claim {
  readonly event: SeenEvent;
  isHandled: boolean;
  /** Those that wait for its end. */
  readonly waiting: (() => void)[];
}

export interface SeenEventsOptions {
  /** A file that several consumers of one host may share; ":memory:" forgets with the process. */
  path: string;
  /** What another group has handled doesn't count. */
  groupId: string;
  /** How far back copies are recognised, in offsets of the partition. */
  windowOffsets: number;
}

/** How many offsets a partition moves on before what has left the window is deleted, as a share of it. */
const PRUNE_SHARE = 0.1;
/** Another process writes its ids for no longer than this, ms. */
const BUSY_TIMEOUT_MS = 10_000;

export class SeenEvents {
  readonly #database: Database;
  readonly #groupId: string;
  readonly #windowOffsets: number;
  readonly #find;
  readonly #insert;
  readonly #prune;
  readonly #claims = new Map<string, Claim>();
  #handled: SeenEvent[] = [];
  /** By partition: the offset at which it was last pruned. */
  readonly #prunedAt = new Map<string, number>();

  constructor({ path, groupId, windowOffsets }: SeenEventsOptions) {
    if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true });
    this.#groupId = groupId;
    this.#windowOffsets = windowOffsets;
    this.#database = new Database(path, { create: true, strict: true });
    // WAL: a killed process loses nothing that was written; a host that loses power may lose the last moments.
    this.#database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    this.#database.run("PRAGMA journal_mode = WAL");
    this.#database.run("PRAGMA synchronous = NORMAL");
    // The table's name stands for its columns: with other columns it has another, so that no older file is in the way.
    this.#database.run(
      `CREATE TABLE IF NOT EXISTS seen_by_group (
         group_id TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, event_id TEXT NOT NULL,
         at_offset INTEGER NOT NULL,
         PRIMARY KEY (group_id, topic, partition, event_id)
       ) WITHOUT ROWID`,
    );
    this.#database.run(
      "CREATE INDEX IF NOT EXISTS seen_by_group_offset ON seen_by_group (group_id, topic, partition, at_offset)",
    );
    this.#find = this.#database.query<{ at_offset: number }, [string, string, number, string]>(
      "SELECT at_offset FROM seen_by_group WHERE group_id = ? AND topic = ? AND partition = ? AND event_id = ?",
    );
    this.#insert = this.#database.query<null, [string, string, number, string, number]>(
      `INSERT INTO seen_by_group (group_id, topic, partition, event_id, at_offset) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET at_offset = excluded.at_offset`,
    );
    this.#prune = this.#database.query<null, [string, string, number, number]>(
      "DELETE FROM seen_by_group WHERE group_id = ? AND topic = ? AND partition = ? AND at_offset < ?",
    );
  }

  /**
   * @returns whether the event is to be handled; it is this caller's then, until `handled` or `release`. A promise when
   * the id is with a handler that still runs though its partition was given up: what becomes of that one counts no more
   * for the offsets, so it doesn't answer for this event. When it ends the promise resolves, and `claim` has an answer
   */
  claim(event: SeenEvent): boolean | Promise<void> {
    const name = nameOf(event);
    const claim = this.#claims.get(name);
    if (claim !== undefined) {
      if (claim.isHandled || !claim.event.signal.aborted) return false;
      return new Promise((resolve) => claim.waiting.push(resolve));
    }
    const found = this.#find.get(this.#groupId, event.topic, event.partition, event.event.event_id);
    if (found !== null && event.offset - found.at_offset < this.#windowOffsets) return false;
    this.#claims.set(name, { event, isHandled: false, waiting: [] });
    return true;
  }

  /** The handler is done with what `claim` gave it. It is remembered with the next `remember`. */
  handled(event: SeenEvent): void {
    this.#handled.push(event);
    const claim = this.#claims.get(nameOf(event))!;
    claim.isHandled = true;
    end(claim);
  }

  /** What `claim` gave was not handled after all. */
  release(event: SeenEvent): void {
    const name = nameOf(event);
    const claim = this.#claims.get(name)!;
    this.#claims.delete(name);
    end(claim);
  }

  /** Takes what has been handled so far, to be remembered once the handler's own flush is over. */
  takeHandled(): readonly SeenEvent[] {
    const handled = this.#handled;
    this.#handled = [];
    return handled;
  }

  /** Remembers, all or none. @throws when the file can't be written; the same may be tried again */
  remember(events: readonly SeenEvent[]): void {
    if (events.length === 0) return;
    this.#database.transaction(() => {
      for (const { topic, partition, offset, event } of events)
        this.#insert.run(this.#groupId, topic, partition, event.event_id, offset);
      for (const last of lastOfPartitions(events)) this.#pruneIfDue(last);
    })();
    for (const event of events) this.#claims.delete(nameOf(event));
  }

  /** How many ids are remembered, over all groups. */
  size(): number {
    return (
      this.#database.query<{ count: number }, []>("SELECT count(*) AS count FROM seen_by_group").get()
        ?.count ?? 0
    );
  }

  close(): void {
    this.#database.close();
  }

  #pruneIfDue({ topic, partition, offset }: SeenEvent): void {
    const name = `${topic}:${partition}`;
    const prunedAt = this.#prunedAt.get(name);
    if (prunedAt !== undefined && offset - prunedAt < this.#windowOffsets * PRUNE_SHARE) return;
    this.#prunedAt.set(name, offset);
    this.#prune.run(this.#groupId, topic, partition, offset - this.#windowOffsets);
  }
}

function nameOf({ topic, partition, event }: SeenEvent): string {
  return `${topic}:${partition}:${event.event_id}`;
}

function end({ waiting }: Claim): void {
  for (const resolve of waiting.splice(0)) resolve();
}

function lastOfPartitions(events: readonly SeenEvent[]): Iterable<SeenEvent> {
  const last = new Map<string, SeenEvent>();
  for (const event of events) last.set(`${event.topic}:${event.partition}`, event);
  return last.values();
}
