// Questions over a channel that only carries messages: each has a number, and is given up after a while.

export class Exchange<Answer> {
  readonly #open = new Map<number, (answer: Answer | undefined) => void>();
  #next = 0;

  /**
   * @param send sends the question with this number
   * @returns undefined when there was no answer in time, or it could not be sent
   */
  ask(send: (id: number) => void, timeoutMs: number): Promise<Answer | undefined> {
    const id = this.#next++;
    return new Promise((resolve) => {
      const settle = (answer: Answer | undefined) => {
        clearTimeout(timer);
        this.#open.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(settle, timeoutMs, undefined);
      this.#open.set(id, settle);
      try {
        send(id);
      } catch {
        settle(undefined);
      }
    });
  }

  /** Takes an answer; one that comes too late is dropped. */
  answered(id: number, answer: Answer): void {
    this.#open.get(id)?.(answer);
  }
}
