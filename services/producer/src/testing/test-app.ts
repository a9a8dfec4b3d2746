// The application without a port, a broker or environment variables.

import type { Durability } from "@ingest/contract";
import { ByteBudget } from "@ingest/http-server";
import { type Log, parseSettings } from "@ingest/service";
import type { AnyElysia } from "elysia";
import pino from "pino";
import { createApp } from "../app.ts";
import { eventTypeCheck } from "../callers/event-types.ts";
import { type Clock, systemClock } from "../callers/limits/clock.ts";
import { LocalLimiters } from "../callers/limits/limiters.ts";
import { type Callers, parseCallers } from "../callers/parse-file.ts";
import { topicCheck } from "../callers/topics.ts";
import { createEventRoutes } from "../events/adapter-routes.ts";
import { Admission } from "../events/admission.ts";
import { EventService } from "../events/service.ts";
import { FileProblems } from "../file-problems.ts";
import type { AdapterName } from "../formats/adapters/settings.ts";
import { cloudEventSettings } from "../formats/cloud-events/settings.ts";
import { createFormats } from "../formats/index.ts";
import { createEdge } from "../http/edge.ts";
import { type EdgeSettings, edgeSettings } from "../http/edge-settings.ts";
import { createProducerMetrics } from "../observe/metrics.ts";
import { RequestMetrics } from "../observe/request-metrics.ts";
import { FakeDelivery } from "./fake-delivery.ts";

export interface TestAppOptions {
  maxEventBytes?: number;
  maxBodyBytes?: number;
  maxBatchEvents?: number;
  maxInFlight?: number;
  maxInFlightBytes?: number;
  defaultDurability?: Durability;
  hasOpenapi?: boolean;
  edge?: Partial<EdgeSettings>;
  /** What CALLERS_FILE contains. */
  callers?: object;
  /** Of the callers' limits. */
  clock?: Clock;
  log?: Log;
  /** Settings of CloudEvents, as in the environment. */
  cloudEvents?: Record<string, string>;
  adapters?: readonly AdapterName[];
  plugins?: readonly AnyElysia[];
}

export function createTestApp(options: TestAppOptions = {}) {
  const { maxEventBytes = 10_000, maxBodyBytes = 100_000, maxBatchEvents = 100 } = options;
  const delivery = new FakeDelivery();
  const service = new EventService({ delivery, storedDeadlineMs: 1_000 });
  const limits = { maxEventBytes, maxBatchEvents, maxJsonDepth: 128 };
  const routes = createEventRoutes(options.adapters ?? [], limits);
  const formatOf = createFormats(limits, {
    ...parseSettings(cloudEventSettings, options.cloudEvents ?? {}),
    ADAPTERS: [...(options.adapters ?? [])],
  });
  const admission = new Admission(options.maxInFlight ?? 100, delivery);
  const budget = new ByteBudget(options.maxInFlightBytes ?? 1_000_000);
  const metrics = new RequestMetrics(Object.keys(routes));
  const log = options.log ?? pino({ level: "silent" });
  const edge = createEdge(
    { ...parseSettings(edgeSettings, {}), ...options.edge },
    log,
    options.callers && toCallers(options.callers),
    Object.keys(routes),
  );
  const registry = createProducerMetrics({
    requests: metrics,
    events: service,
    admission,
    bodies: budget,
    unsent: new ByteBudget(0),
    connections: { max: 0, open: () => 0, refused: () => 0 },
    forwarded: edge.trustedProxies,
    delivery,
    hasJournal: true,
    callers: edge.callers,
    reloads: undefined,
    statistics: () => undefined,
  });
  const limiters = new LocalLimiters(undefined, options.clock ?? systemClock);
  const application = createApp({
    hasOpenapi: options.hasOpenapi ?? true,
    events: {
      service,
      formatOf,
      routes,
      admission,
      budget,
      metrics,
      defaultDurability: options.defaultDurability ?? "accepted",
      maxEventBytes,
      maxBodyBytes,
      checks: [topicCheck("events"), eventTypeCheck],
      limiters,
    },
    health: {
      live: () => ({ ok: true }),
      ready: () => ({ ok: delivery.isReady }),
      metrics: () => registry.metrics(),
    },
    edge,
    log,
    plugins: options.plugins ?? [],
  });
  const post = (path: string, body: Bun.BodyInit | null, headers: Record<string, string> = {}) =>
    application.elysia.handle(
      new Request(`http://localhost${path}`, {
        method: "POST",
        body,
        headers: { "content-type": "application/json", ...headers },
      }),
    );
  return { application, app: application.elysia, delivery, admission, budget, metrics, service, post };
}

function toCallers(file: object): Callers {
  const callers = parseCallers(JSON.stringify(file), { defaultDurability: "accepted", hasJournal: true });
  if (callers instanceof FileProblems) throw new Error(JSON.stringify(callers.problems));
  return callers;
}
