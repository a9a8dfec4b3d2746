// Requests and replies over a channel that only carries messages, matched by a correlation id.

export class RequestReply<Reply> {
  readonly #pending = new Map<number, (reply: Reply | undefined) => void>();
  #nextId = 0;

  /**
   * @param send sends the request with this correlation id
   * @returns undefined when there was no reply in time, or the request could not be sent
   */
  request(send: (id: number) => void, timeoutMs: number): Promise<Reply | undefined> {
    const id = this.#nextId++;
    return new Promise((resolve) => {
      const settle = (reply: Reply | undefined) => {
        clearTimeout(timer);
        this.#pending.delete(id);
        resolve(reply);
      };
      const timer = setTimeout(settle, timeoutMs, undefined);
      this.#pending.set(id, settle);
      try {
        send(id);
      } catch {
        settle(undefined);
      }
    });
  }

  /** Settles the request with this id. A reply after the timeout is ignored. */
  onReply(id: number, reply: Reply): void {
    this.#pending.get(id)?.(reply);
  }
}
