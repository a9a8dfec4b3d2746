// Every event that a run has sent, and how it was acknowledged: a few bytes an event, since a run sends millions.

const acknowledgements = ["none", "accepted", "durable", "stored"] as const;
/** The status in the response to an event; `none` while there is no such response. */
export type Acknowledgement = (typeof acknowledgements)[number];

interface UserEvents {
  /** Indexes in `acknowledgements`. */
  acknowledgements: Uint8Array;
  /** Indexes of the producer processes that acknowledged. */
  processes: Int16Array;
  isRetried: Uint8Array;
  count: number;
}

export class Ledger {
  /** Number of each response, and each failure to get one, that acknowledged nothing. */
  readonly rejections: Record<string, number> = {};
  readonly #users: UserEvents[];

  constructor(
    /** The prefix of the ids of this run's events. */
    readonly run: string,
    users: number,
  ) {
    this.#users = Array.from({ length: users }, () => ({
      acknowledgements: new Uint8Array(1024),
      processes: new Int16Array(1024),
      isRetried: new Uint8Array(1024),
      count: 0,
    }));
  }

  get users(): number {
    return this.#users.length;
  }

  /** How many events a user has sent. */
  countOf(user: number): number {
    return this.#users[user]!.count;
  }

  /** Adds a user's next event. @returns its number, from 0 */
  add(user: number): number {
    const events = this.#users[user]!;
    if (events.count === events.isRetried.length) {
      const capacity = events.count * 2;
      events.acknowledgements = grow(events.acknowledgements, new Uint8Array(capacity));
      events.processes = grow(events.processes, new Int16Array(capacity));
      events.isRetried = grow(events.isRetried, new Uint8Array(capacity));
    }
    return events.count++;
  }

  idOf(user: number, n: number): string {
    return `${this.run}-${user}-${n}`;
  }

  /** The event with this id; undefined when no event of this run has it. */
  parse(id: string): { user: number; n: number } | undefined {
    if (!id.startsWith(`${this.run}-`)) return undefined;
    const [user, n] = id
      .slice(this.run.length + 1)
      .split("-")
      .map(Number);
    return user !== undefined && n !== undefined && n < this.countOf(user) ? { user, n } : undefined;
  }

  /** @param processIndex which process of the producer responded */
  acknowledge(user: number, n: number, acknowledgement: Acknowledgement, processIndex: number): void {
    const events = this.#users[user]!;
    events.acknowledgements[n] = acknowledgements.indexOf(acknowledgement);
    events.processes[n] = processIndex;
  }

  /** Notes that the caller sends an unacknowledged event again. */
  retry(user: number, n: number): void {
    this.#users[user]!.isRetried[n] = 1;
  }

  isRetried(user: number, n: number): boolean {
    return this.#users[user]!.isRetried[n] === 1;
  }

  countRejection(reason: string): void {
    this.rejections[reason] = (this.rejections[reason] ?? 0) + 1;
  }

  acknowledgementOf(user: number, n: number): Acknowledgement {
    return acknowledgements[this.#users[user]!.acknowledgements[n]!]!;
  }

  /** Which process of the producer acknowledged the event. */
  processOf(user: number, n: number): number {
    return this.#users[user]!.processes[n]!;
  }

  /** How many events have each acknowledgement. */
  totals(): Record<Acknowledgement, number> {
    const totals = { none: 0, accepted: 0, durable: 0, stored: 0 };
    for (const events of this.#users)
      for (let n = 0; n < events.count; n++) totals[acknowledgements[events.acknowledgements[n]!]!]++;
    return totals;
  }
}

function grow<T extends Uint8Array | Int16Array>(values: T, larger: T): T {
  larger.set(values);
  return larger;
}
