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

/** What was true a moment ago is of no use to a probe. */
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
const responses = { "200": { description: "Yes", content }, "503": { description: "No", content } };

/** `GET /health/live`, `GET /health/ready`, `GET /metrics`. */
export function healthRoutes(source: HealthSource) {
  return new Elysia({ name: "health" })
    .get("/health/live", async () => toResponse(await source.live()), {
      detail: { summary: "Is the process alive?", tags: ["operations"], responses },
    })
    .get("/health/ready", async () => toResponse(await source.ready()), {
      detail: { summary: "Is it taking work?", tags: ["operations"], responses },
    })
    .get(
      "/metrics",
      async () =>
        new Response(await source.metrics(), { headers: { "content-type": METRICS_TYPE, ...NO_STORE } }),
      {
        detail: {
          summary: "Figures in Prometheus' text format",
          tags: ["operations"],
          responses: { "200": { description: "Figures", content: { "text/plain": {} } } },
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
