// Liveness, readiness and metrics routes.
import { Elysia } from "elysia";

/** The result of a probe: `ok` decides between 200 and 503, the details are for people. */
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

/** A cached result would be useless to a probe. */
const NO_STORE = { "cache-control": "no-store" };

const content = {
  "application/json": {
    schema: {
      type: "object" as const,
      required: ["status"],
      properties: { status: { type: "string" as const, enum: ["ok", "unavailable"] } },
    },
  },
};
const malformed = { "4XX": { description: "The request is malformed" } };
const responses = {
  "200": { description: "Yes", content },
  ...malformed,
  "503": { description: "No", content },
};
/** Probes and scrapers send no key. */
const detail = { tags: ["operations"], security: [] };

/** `GET /health/live`, `GET /health/ready`, `GET /metrics`. */
export function healthRoutes(source: HealthSource) {
  return new Elysia({ name: "health" })
    .get("/health/live", async () => toResponse(await source.live()), {
      detail: { summary: "Is the process alive?", ...detail, responses },
    })
    .get("/health/ready", async () => toResponse(await source.ready()), {
      detail: { summary: "Is it taking work?", ...detail, responses },
    })
    .get(
      "/metrics",
      async () =>
        new Response(await source.metrics(), { headers: { "content-type": METRICS_TYPE, ...NO_STORE } }),
      {
        detail: {
          summary: "Metrics in the Prometheus text format",
          ...detail,
          responses: { "200": { description: "Metrics", content: { "text/plain": {} } }, ...malformed },
        },
      },
    );
}

function toResponse({ ok, ...details }: Health): Response {
  return Response.json(
    { status: ok ? "ok" : "unavailable", ...details },
    { status: ok ? 200 : 503, headers: NO_STORE },
  );
}
