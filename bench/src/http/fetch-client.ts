// Bun's own fetch: the plain way, for comparison with the socket client and for a server behind a proxy.
import type { AnswerHandler, Client, Target } from "./client.ts";

/** @see CreateClient */
export function createFetchClient(target: Target, slots: number, handler: AnswerHandler): Client {
  const url = target.url.href;
  // An abort ends every request that shares the signal, so each slot has its own, renewed after use.
  const aborts = Array.from({ length: slots }, () => new AbortController());

  async function post(slot: number, body: string): Promise<void> {
    const { signal } = aborts[slot]!;
    let status: number;
    let text: string;
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: target.headers,
        body,
        signal,
        redirect: "manual",
      });
      status = response.status;
      text = await response.text();
    } catch (thrown) {
      if (signal.aborted) return;
      return handler.onFailure(slot, ...toFailure(thrown));
    }
    if (!signal.aborted) handler.onAnswer(slot, status, text);
  }

  function abandon(slot: number): void {
    aborts[slot]!.abort();
    aborts[slot] = new AbortController();
  }

  return {
    send(slot, body) {
      void post(slot, body);
    },
    abandon,
    close() {
      for (let slot = 0; slot < slots; slot++) abandon(slot);
    },
  };
}

/** What Bun's fetch says of an answer that isn't HTTP is the same as of a connection that broke. */
function toFailure(thrown: unknown): ["connect_failed" | "connection_closed", string] {
  const code = String((thrown as { code?: unknown } | null)?.code ?? thrown);
  const hasNoConnection = /^(ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EMFILE)$|CERT/.test(code);
  return [hasNoConnection ? "connect_failed" : "connection_closed", code];
}
