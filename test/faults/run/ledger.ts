// What was sent and how it was answered: a few bytes an event, for a run has millions.

const answers = ["none", "accepted", "durable", "stored"] as const;
export type Answer = (typeof answers)[number];

export class Ledger {
  /** Answers that weren't one of the promises, by what they were. */
  readonly others: Record<string, number> = {};
  readonly #users: { answers: Uint8Array; lives: Int16Array; isRepeated: Uint8Array; count: number }[];

  constructor(
    /** Tells this run's events from others'. */
    readonly run: string,
    users: number,
  ) {
    this.#users = Array.from({ length: users }, () => ({
      answers: new Uint8Array(1024),
      lives: new Int16Array(1024),
      isRepeated: new Uint8Array(1024),
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

  /** The next event of a user: its number. */
  open(user: number): number {
    const entry = this.#users[user]!;
    if (entry.count === entry.answers.length) {
      const { answers: known, lives, isRepeated } = entry;
      entry.answers = new Uint8Array(known.length * 2);
      entry.lives = new Int16Array(known.length * 2);
      entry.isRepeated = new Uint8Array(known.length * 2);
      entry.answers.set(known);
      entry.lives.set(lives);
      entry.isRepeated.set(isRepeated);
    }
    return entry.count++;
  }

  idOf(user: number, n: number): string {
    return `${this.run}-${user}-${n}`;
  }

  /** The other way round; undefined for an event of somebody else's. */
  parse(id: string): { user: number; n: number } | undefined {
    if (!id.startsWith(`${this.run}-`)) return undefined;
    const [user, n] = id
      .slice(this.run.length + 1)
      .split("-")
      .map(Number);
    return user !== undefined && n !== undefined && n < this.countOf(user) ? { user, n } : undefined;
  }

  /** @param life which process of the producer answered, from 0 */
  answered(user: number, n: number, answer: Answer, life: number): void {
    const entry = this.#users[user]!;
    entry.answers[n] = answers.indexOf(answer);
    entry.lives[n] = life;
  }

  /** The event is sent once more: it had no answer that was a promise. */
  repeated(user: number, n: number): void {
    this.#users[user]!.isRepeated[n] = 1;
  }

  isRepeated(user: number, n: number): boolean {
    return this.#users[user]!.isRepeated[n] === 1;
  }

  other(what: string): void {
    this.others[what] = (this.others[what] ?? 0) + 1;
  }

  answerOf(user: number, n: number): Answer {
    return answers[this.#users[user]!.answers[n]!]!;
  }

  lifeOf(user: number, n: number): number {
    return this.#users[user]!.lives[n]!;
  }

  /** How many events got each answer. */
  totals(): Record<Answer, number> {
    const totals = { none: 0, accepted: 0, durable: 0, stored: 0 };
    for (const { answers: known, count } of this.#users)
      for (let n = 0; n < count; n++) totals[answers[known[n]!]!]++;
    return totals;
  }
}
