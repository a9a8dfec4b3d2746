// What the client takes of its platform, so that tests can replace it. Pages, workers, Bun and Node differ in what is there.
import type { Fetch } from "./types.ts";

/** The parts of a page's or a worker's global scope that only some platforms have. */
interface Scope {
  document?: Listenable & { readonly visibilityState: string };
  navigator?: { sendBeacon?(url: string, body: string | Blob): boolean };
  location?: { readonly href: string; readonly origin: string };
  Request?: { readonly prototype: object };
  CompressionStream?: typeof CompressionStream;
  fetch: Fetch;
}

interface Listenable {
  addEventListener(type: string, listener: () => void): void;
  removeEventListener(type: string, listener: () => void): void;
}

export interface Platform {
  /** Unix ms. */
  nowMs(): number;
  /** ms since some moment; never goes back. */
  elapsedMs(): number;
  /** From 0 to 1. */
  random(): number;
  fillRandom(bytes: Uint8Array): void;
  /** @param kind a timer in the background does not keep the process alive */
  setTimer(callback: () => void, ms: number, kind?: "background"): unknown;
  clearTimer(timer: unknown): void;
  fetch: Fetch;
  /** Undefined where the platform has none. */
  gzip: ((text: string) => Promise<ArrayBuffer>) | undefined;
  /** Undefined outside of pages. */
  page: Page | undefined;
  /** A relative URL made absolute. @throws TypeError for one that is none */
  toAbsolute(url: string): string;
}

export interface Page {
  /** Can `fetch` outlive the page? */
  readonly hasKeepalive: boolean;
  /** @param url absolute @param body JSON @returns false when the browser refuses it */
  sendBeacon(url: string, body: string): boolean;
  /** Calls back when the page is hidden or left, and when it is back online. @returns a function that ends it */
  observe(listeners: { onHide(): void; onOnline(): void }): () => void;
}

export function currentPlatform(): Platform {
  const scope = globalThis as unknown as Scope & Listenable;
  return {
    nowMs: Date.now,
    elapsedMs: () => performance.now(),
    random: Math.random,
    fillRandom: (bytes) => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
    setTimer(callback, ms, kind) {
      const timer: unknown = setTimeout(callback, ms);
      // Browsers' timers are numbers.
      if (kind === "background") (timer as { unref?(): void }).unref?.();
      return timer;
    },
    clearTimer: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
    // Looked up at each call, since pages and tests wrap it.
    fetch: (url, init) => scope.fetch(url, init),
    gzip: scope.CompressionStream && gzip,
    page: scope.document && pageOf(scope, scope.document),
    toAbsolute: (url) => new URL(url, scope.location?.href).href,
  };
}

function gzip(text: string): Promise<ArrayBuffer> {
  return new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
}

function pageOf(scope: Scope & Listenable, document: NonNullable<Scope["document"]>): Page {
  return {
    hasKeepalive: scope.Request !== undefined && "keepalive" in scope.Request.prototype,
    sendBeacon(url, body) {
      // To another origin JSON needs a preflight, which a page that is left may not wait for; text needs none.
      const isSameOrigin = new URL(url).origin === scope.location?.origin;
      const content = isSameOrigin ? new Blob([body], { type: "application/json" }) : body;
      return scope.navigator?.sendBeacon?.(url, content) ?? false;
    },
    observe({ onHide, onOnline }) {
      const onVisibility = () => {
        if (document.visibilityState === "hidden") onHide();
      };
      const listeners = [
        [document, "visibilitychange", onVisibility],
        [scope, "pagehide", onHide],
        [scope, "online", onOnline],
      ] as const;
      for (const [source, type, listener] of listeners) source.addEventListener(type, listener);
      return () => {
        for (const [source, type, listener] of listeners) source.removeEventListener(type, listener);
      };
    },
  };
}
