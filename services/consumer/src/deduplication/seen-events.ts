// Deduplication: remembers the event_ids of each partition's latest events and skips their duplicates.
//
// Guarantee: an event that is in the topic several times is handled once, if its copies have the same event_id (and source, if it is a CloudEvent), are in
// the same partition (copies with the same user_id are), are less than `windowOffsets` offsets apart, and the consumer of
// the partition has the same file. Groups may share a file: each of them handles the event once.
//
// Limits: the event is handled again when the process is killed between the handler's success and the next flush (some
// milliseconds), and when the partition moves to a consumer with another file. The file doesn't contain running handlers
// either: when one exceeds the rebalance budget, or its session is lost, the next owner handles the event concurrently
// (the same process waits for the old handler first). Only a handler that stores the event_id in the same transaction as
// its effect has none of these limits.
import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { identityOf } from "../event-identity.ts";
import type { ConsumedEvent } from "../handler.ts";

/** What deduplication needs of an event. */
export interface SeenEvent {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly event: Pick<ConsumedEvent, "event_id" | "cloudevent">;
  /** Aborted when its partition is revoked: its handler may still run, and the outcome is open until it ends. */
  readonly signal: AbortSignal;
}

/** An event_id in use: its handler runs, or has succeeded and the id is not yet saved. */
interface Claim {
  readonly event: SeenEvent;
  isHandled: boolean;
  /** Resolve the callers that wait for the handler to end. */
  readonly waiting: (() => void)[];
}

export interface SeenEventsOptions {
  /** Consumers on the same host may share the file. ":memory:" lasts as long as the process. */
  path: string;
  /** Each group deduplicates by itself. */
  groupId: string;
  /** Distance within which duplicates are recognised, in offsets of the partition. */
  windowOffsets: number;
}

/** Ids outside the window are deleted each time the partition has advanced by this share of the window. */
const PRUNE_SHARE = 0.1;
/** How long to wait for another process that writes to the file, ms. */
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
  /** The offset at which each partition was last pruned. */
  readonly #prunedAt = new Map<string, number>();

  constructor({ path, groupId, windowOffsets }: SeenEventsOptions) {
    if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true });
    this.#groupId = groupId;
    this.#windowOffsets = windowOffsets;
    this.#database = new Database(path, { create: true, strict: true });
    // WAL with synchronous=NORMAL: a killed process loses nothing written; a power failure may lose the last moments.
    this.#database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    this.#database.run("PRAGMA journal_mode = WAL");
    this.#database.run("PRAGMA synchronous = NORMAL");
    // A change of the columns needs a new table name, because files of older versions keep their tables.
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
   * Claims an event for its caller, until `handled` or `release`.
   * @returns true when the event should be handled, false for a duplicate. A promise when a handler still runs for this
   * id although its partition was revoked: it resolves when that handler ends, and `claim` can be called again
   */
  claim(event: SeenEvent): boolean | Promise<void> {
    const name = idOf(event);
    const claim = this.#claims.get(name);
    if (claim !== undefined) {
      if (claim.isHandled || !claim.event.signal.aborted) return false;
      return new Promise((resolve) => claim.waiting.push(resolve));
    }
    const found = this.#find.get(this.#groupId, event.topic, event.partition, identityOf(event.event));
    if (found !== null && event.offset - found.at_offset < this.#windowOffsets) return false;
    this.#claims.set(name, { event, isHandled: false, waiting: [] });
    return true;
  }

  /** The handler has succeeded for a claimed event. The id is saved by the next `remember`. */
  handled(event: SeenEvent): void {
    this.#handled.push(event);
    const claim = this.#claims.get(idOf(event))!;
    claim.isHandled = true;
    resolveWaiting(claim);
  }

  /** A claimed event was not handled. */
  release(event: SeenEvent): void {
    const name = idOf(event);
    const claim = this.#claims.get(name)!;
    this.#claims.delete(name);
    resolveWaiting(claim);
  }

  /** Removes and returns the events handled so far. Save them with `remember` after the handler's flush. */
  takeHandled(): readonly SeenEvent[] {
    const handled = this.#handled;
    this.#handled = [];
    return handled;
  }

  /** Saves the ids in one transaction. @throws when the file can't be written; the call may be repeated */
  remember(handled: readonly SeenEvent[]): void {
    // Without those that the handler's flush has refused: they were released.
    const events = handled.filter((event) => this.#claims.get(idOf(event))?.isHandled);
    if (events.length === 0) return;
    this.#database.transaction(() => {
      for (const { topic, partition, offset, event } of events)
        this.#insert.run(this.#groupId, topic, partition, identityOf(event), offset);
      for (const last of lastOfPartitions(events)) this.#pruneIfDue(last);
    })();
    for (const event of events) this.#claims.delete(idOf(event));
  }

  /** Number of ids saved, of all groups. */
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

function idOf({ topic, partition, event }: SeenEvent): string {
  return `${topic}:${partition}:${identityOf(event)}`;
}

function resolveWaiting({ waiting }: Claim): void {
  for (const resolve of waiting.splice(0)) resolve();
}

function lastOfPartitions(events: readonly SeenEvent[]): Iterable<SeenEvent> {
  const last = new Map<string, SeenEvent>();
  for (const event of events) last.set(`${event.topic}:${event.partition}`, event);
  return last.values();
}
