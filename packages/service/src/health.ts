// What operators' tools ask a service: is it alive, is it ready, what are its figures.
import { Elysia } from "elysia";

/** The answer to a probe: `ok` decides 200 or 503, the rest is for a person to read. */
export interface Health {
  ok: boolean;
  [detail: string]: unknown;
}

export interface HealthSource {
  /** Would a restart help? Then not ok. */
  live(): Health | Promise<Health>;
  /** Should traffic come here now? */
  ready(): Health | Promise<Health>;
  /** Prometheus text exposition. */
  metrics(): Promise<string>;
}

/** The content type of the Prometheus text format, version 0.0.4. */
const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** `GET /health/live`, `GET /health/ready`, `GET /metrics`. */
export function healthRoutes(source: HealthSource) {
  return new Elysia({ name: "health" })
    .get("/health/live", async () => toResponse(await source.live()), {
      detail: { summary: "Is the process alive?", tags: ["operations"] },
    })
    .get("/health/ready", async () => toResponse(await source.ready()), {
      detail: { summary: "Is it taking work?", tags: ["operations"] },
    })
    .get(
      "/metrics",
      async () => new Response(await source.metrics(), { headers: { "content-type": METRICS_TYPE } }),
      { detail: { summary: "Figures in Prometheus' text format", tags: ["operations"] } },
    );
}

function toResponse({ ok, ...details }: Health): Response {
  return Response.json({ status: ok ? "ok" : "unavailable", ...details }, { status: ok ? 200 : 503 });
}
