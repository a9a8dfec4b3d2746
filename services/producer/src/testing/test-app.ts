// The application without a port, a broker or an environment.
import pino from "pino";
import { createApp } from "../app.ts";
import type { PromiseName } from "../delivery/index.ts";
import { Admission } from "../events/admission.ts";
import { EventService } from "../events/service.ts";
import { BodyReader } from "../http/body.ts";
import { ByteBudget } from "../http/byte-budget.ts";
import { createProducerMetrics } from "../observe/metrics.ts";
import { RequestFigures } from "../observe/request-figures.ts";
import { FakeDelivery } from "./fake-delivery.ts";

export interface TestAppOptions {
  maxEventBytes?: number;
  maxBodyBytes?: number;
  maxBatchEvents?: number;
  maxInFlight?: number;
  maxInFlightBytes?: number;
  bodyTimeoutMs?: number;
  defaultPromise?: PromiseName;
}

export function createTestApp(options: TestAppOptions = {}) {
  const { maxEventBytes = 10_000, maxBodyBytes = 100_000, maxBatchEvents = 100 } = options;
  const delivery = new FakeDelivery();
  const service = new EventService({
    delivery,
    limits: { maxEventBytes, maxBatchEvents },
    storedDeadlineMs: 1_000,
  });
  const admission = new Admission(options.maxInFlight ?? 100, delivery);
  const budget = new ByteBudget(options.maxInFlightBytes ?? 1_000_000);
  const bodies = new BodyReader({ timeoutMs: options.bodyTimeoutMs ?? 10_000, budget });
  const figures = new RequestFigures();
  const registry = createProducerMetrics({
    requests: figures,
    events: service,
    admission,
    bodies: budget,
    delivery,
    hasJournal: true,
    statistics: () => undefined,
  });
  const app = createApp({
    events: {
      service,
      admission,
      bodies,
      figures,
      defaultPromise: options.defaultPromise ?? "accepted",
      maxEventBytes,
      maxBodyBytes,
    },
    health: {
      live: () => ({ ok: true }),
      ready: () => ({ ok: delivery.isReady }),
      metrics: () => registry.metrics(),
    },
    log: pino({ level: "silent" }),
  });
  const post = (path: string, body: Bun.BodyInit | null, headers: Record<string, string> = {}) =>
    app.handle(
      new Request(`http://localhost${path}`, {
        method: "POST",
        body,
        headers: { "content-type": "application/json", ...headers },
      }),
    );
  return { app, delivery, admission, budget, figures, service, post };
}
