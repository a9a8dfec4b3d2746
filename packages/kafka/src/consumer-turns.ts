// One thing at a time, in the order of asking.

export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when all that asked before is done; its result and its failure are the caller's. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(ignore);
    return turn;
  }

  /** Resolves when nothing that has asked so far is left. */
  async idle(): Promise<void> {
    await this.#last;
  }
}

function ignore(): void {}
