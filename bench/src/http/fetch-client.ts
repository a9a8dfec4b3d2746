// A client on Bun's fetch, for comparison with the socket client, and for servers behind a proxy.
import type { Client, ResponseHandler, Target } from "./client.ts";

/** @see CreateClient */
export function createFetchClient(target: Target, slots: number, handler: ResponseHandler): Client {
  const url = target.url.href;
  // An abort ends every request that shares the signal: each slot has its own, replaced after use.
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
    if (!signal.aborted) handler.onResponse(slot, status, text);
  }

  function abort(slot: number): void {
    aborts[slot]!.abort();
    aborts[slot] = new AbortController();
  }

  return {
    send(slot, body) {
      void post(slot, body);
    },
    abort,
    close() {
      for (let slot = 0; slot < slots; slot++) abort(slot);
    },
  };
}

/** Bun's fetch reports a malformed response and a broken connection by the same error. */
function toFailure(thrown: unknown): ["connect_failed" | "connection_closed", string] {
  const code = String((thrown as { code?: unknown } | null)?.code ?? thrown);
  const hasNoConnection = /^(ECONNREFUSED|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EMFILE)$|CERT/.test(code);
  return [hasNoConnection ? "connect_failed" : "connection_closed", code];
}
