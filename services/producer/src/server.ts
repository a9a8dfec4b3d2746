// One producer process: its components, started in order and stopped in reverse.
import { ByteBudget, type RunningServer } from "@ingest/http-server";
import type { ProducerStatistics } from "@ingest/kafka";
import type { HealthSource, Lifecycle, Log } from "@ingest/service";
import { createApp } from "./app.ts";
import { callerHeader } from "./callers/caller-header.ts";
import { eventTypeCheck } from "./callers/event-types.ts";
import { keepLimits } from "./callers/limits/index.ts";
import type { LeaseSource } from "./callers/limits/leased-limiter.ts";
import { LeasedLimiters } from "./callers/limits/limiters.ts";
import { limitMetrics, quotaMetrics } from "./callers/limits/metrics.ts";
import type { Callers } from "./callers/parse-file.ts";
import { createReloader } from "./callers/read-file.ts";
import { topicCheck } from "./callers/topics.ts";
import type { Config } from "./config.ts";
import { createDelivery } from "./delivery/index.ts";
import { createEventRoutes } from "./events/adapter-routes.ts";
import { Admission } from "./events/admission.ts";
import { EventService } from "./events/service.ts";
import { createFormats } from "./formats/index.ts";
import { readiness } from "./health.ts";
import { portPaths } from "./http/admin-paths.ts";
import { createEdge } from "./http/edge.ts";
import { toMaxConnections } from "./http/fd-limit.ts";
import { listen } from "./http/listen.ts";
import { createProducerMetrics } from "./observe/metrics.ts";
import { RequestMetrics } from "./observe/request-metrics.ts";
import { createRoutesReloader } from "./routes/read-file.ts";
import type { Routes } from "./routes/route-table.ts";
import { routeCheck } from "./routes/route-table.ts";
import { createEventSchemas } from "./schemas/index.ts";
import type { Certificate } from "./tls/certificate.ts";
import { tlsMetrics } from "./tls/metrics.ts";
import { CertificateReloader } from "./tls/reloader.ts";
import { TopicWatch } from "./topics/topic-watch.ts";

export interface ServerOptions {
  config: Config;
  /** What CALLERS_FILE contains, when it is set. */
  callers?: Callers | undefined;
  /** What ROUTES_FILE contains, when it is set. */
  routes?: Routes | undefined;
  /** Of TLS_CERT, when it is set. */
  certificate?: Certificate | undefined;
  log: Log;
  lifecycle: Lifecycle;
  /** This process's number among the workers, from 0, and how many there are. */
  worker?: { index: number; count: number };
  /** With several workers: replaces the own health and metrics of this process by those of all. */
  aggregateHealth?: (own: OwnHealth) => HealthSource;
  /** With several workers: where the callers' limits are kept. */
  leases?: LeaseSource;
}

export interface Ports {
  port: number;
  /** When ADMIN_PORT is set. */
  adminPort?: number;
}

/** Health and metrics of this process alone. */
export interface OwnHealth extends HealthSource {
  ready(): ReturnType<typeof readiness>;
  /** As prom-client's `getMetricsAsJSON`. */
  metricsJson(): Promise<object[]>;
}

/** Share of SHUTDOWN_TIMEOUT_MS for requests to end; the rest is for delivering their events. */
const REQUESTS_SHARE = 0.4;
/** Beyond a step's own limits, so that the lifecycle's limit applies only when the step is stuck. */
const STOP_MARGIN_MS = 1_000;

/** Of the port for operators, which has few clients. */
const MAX_ADMIN_CONNECTIONS = 256;

/** Starts everything. Resolves with the ports once it takes requests, whether Kafka is available or not. */
export async function startServer(options: ServerOptions): Promise<Ports> {
  const { config, log, lifecycle, worker = { index: 0, count: 1 } } = options;
  const { settings, kafka } = config;
  let { routes: topicRoutes } = options;
  let statistics: ProducerStatistics | undefined;
  const delivery = createDelivery({
    settings,
    config: kafka,
    topicConfig: topicRoutes && ((topic) => topicRoutes?.producerConfig(topic)),
    log,
    worker: worker.index,
    workers: worker.count,
    onStatistics: (latest) => {
      statistics = latest;
    },
  });
  const isFailing = () => {
    const { spooling, failing } = delivery.state();
    return spooling || failing !== undefined;
  };
  const topics = new TopicWatch({
    kafka,
    isRecreated: settings.KAFKA_TOPIC_RECREATE,
    isFailing,
    refused() {
      const { message_too_large: tooLarge = 0, invalid_record: invalid = 0 } = delivery.state().counts.failed;
      return tooLarge + invalid;
    },
    onMissing: (areAllMissing) => delivery.setTopicsMissing(areAllMissing),
    onLimits(topic, limits) {
      if (topic === settings.KAFKA_TOPIC) delivery.setTopicLimits(limits);
      // A route may lead to KAFKA_TOPIC too: its events name the topic.
      delivery.setTopicLimits(limits, topic);
    },
    log,
  });
  const newTopics = {
    partitions: settings.KAFKA_TOPIC_PARTITIONS,
    replicationFactor: settings.KAFKA_TOPIC_REPLICATION_FACTOR,
  };
  const watch = (topic: string) =>
    topics.add(topicRoutes?.toNewTopic(topic, newTopics) ?? { topic, ...newTopics });
  watch(settings.KAFKA_TOPIC);
  for (const { topic } of topicRoutes?.entries ?? []) watch(topic);
  const routesReloader =
    topicRoutes &&
    createRoutesReloader(settings, topicRoutes, log, (reloaded) => {
      topicRoutes = reloaded;
      for (const { topic } of reloaded.entries) watch(topic);
    });
  const limits = {
    maxEventBytes: settings.MAX_EVENT_BYTES,
    maxBatchEvents: settings.MAX_BATCH_EVENTS,
    maxJsonDepth: settings.MAX_JSON_DEPTH,
  };
  const formatOf = createFormats(limits, settings);
  const routes = createEventRoutes(settings.ADAPTERS, limits);
  const service = new EventService({ delivery, storedDeadlineMs: settings.STORED_DEADLINE_MS });
  const admission = new Admission(settings.MAX_IN_FLIGHT_REQUESTS, delivery);
  const budget = new ByteBudget(settings.MAX_IN_FLIGHT_BYTES);
  const unsentBudget = new ByteBudget(settings.MAX_UNSENT_BYTES);
  const maxConnections = toMaxConnections(settings.MAX_CONNECTIONS, log);
  let server: RunningServer | undefined;
  let admin: RunningServer | undefined;
  const schemas = await createEventSchemas(settings, settings.KAFKA_TOPIC, log);
  const metrics = new RequestMetrics(Object.keys(routes));
  const edge = createEdge(settings, log, options.callers, Object.keys(routes));
  const reloader = edge.callers && createReloader(settings, options.callers!, edge.callers, log);
  const registry = createProducerMetrics({
    forwarded: edge.trustedProxies,
    requests: metrics,
    events: service,
    admission,
    bodies: budget,
    unsent: unsentBudget,
    connections: {
      max: maxConnections,
      open: () => server?.connections ?? 0,
      refused: () => server?.refusedConnections ?? 0,
    },
    delivery,
    schemas,
    hasJournal: settings.JOURNAL_ENABLED,
    callers: edge.callers,
    reloads: reloader,
    statistics: () => statistics,
  });
  const kept = options.leases === undefined ? keepLimits(settings, options.callers, log) : undefined;
  const limiters = options.callers && (kept?.limiters ?? new LeasedLimiters(options.leases!));
  if (limiters !== undefined) limitMetrics(registry, limiters);
  if (kept !== undefined) quotaMetrics(registry, kept);
  const { certificate } = options;
  const certificateReloader =
    certificate &&
    new CertificateReloader({
      settings,
      certificate,
      replace: (tls) => server?.replaceTls(tls) ?? false,
      log,
    });
  if (certificateReloader !== undefined)
    tlsMetrics(registry, certificateReloader, () => server?.failedHandshakes ?? 0);
  const own: OwnHealth = {
    live: () => ({ ok: true }),
    ready: () => readiness({ delivery, topics, isStopping: () => lifecycle.isStopping }),
    metrics: () => registry.metrics(),
    metricsJson: () => registry.getMetricsAsJSON(),
  };
  const app = createApp({
    edge,
    events: {
      service,
      formatOf,
      routes,
      admission,
      budget,
      metrics,
      defaultDurability: settings.DEFAULT_DURABILITY,
      maxEventBytes: settings.MAX_EVENT_BYTES,
      maxBodyBytes: settings.MAX_BODY_BYTES,
      checks: [
        eventTypeCheck,
        ...(schemas === undefined ? [] : [schemas.toCheck]),
        ...(topicRoutes === undefined ? [] : [routeCheck(() => topicRoutes!)]),
        topicCheck(settings.KAFKA_TOPIC),
        ...(settings.CALLER_HEADER === undefined ? [] : [callerHeader(settings.CALLER_HEADER)]),
      ],
      ...(limiters !== undefined && { limiters }),
    },
    health: options.aggregateHealth?.(own) ?? own,
    hasOpenapi: settings.OPENAPI_ENABLED,
    schemas: schemas && (() => schemas.check.set),
    log,
  });

  const forRequests = settings.SHUTDOWN_TIMEOUT_MS * REQUESTS_SHARE;
  const forDelivery = settings.SHUTDOWN_TIMEOUT_MS - forRequests;
  await follow(lifecycle, "callers", reloader);
  await follow(lifecycle, "routes", routesReloader);
  if (schemas !== undefined) await lifecycle.start({ name: "schemas", stop: () => schemas.stop() });
  // Already stoppable: it may wait for a registry.
  await schemas?.start();
  const limitKeeper = kept ?? limiters;
  if (limitKeeper !== undefined)
    await lifecycle.start({
      name: "limits",
      start: () => limitKeeper.start(),
      stop: () => limitKeeper.stop(),
    });
  await lifecycle.start({
    name: "delivery",
    start: () => delivery.start(),
    async stop() {
      const { lost, journalled } = await delivery.stop(forDelivery);
      if (lost > 0) throw new Error(`${lost} accepted events were lost: neither delivered nor journalled`);
      if (journalled > 0) log.warn({ journalled }, "events left in the journal: the next start sends them");
    },
    stopBudgetMs: forDelivery + STOP_MARGIN_MS,
  });
  // If such a topic were missing, its events would be retried for ever, ahead of all others.
  for (const topic of delivery.journalTopics().filter((name) => name !== settings.KAFKA_TOPIC)) {
    if (!topicRoutes?.hasTopic(topic))
      log.warn({ topic }, "journal holds events of another topic than KAFKA_TOPIC: they are sent there");
    watch(topic);
  }
  await lifecycle.start({ name: "topics", start: () => topics.start(), stop: () => topics.stop() });
  const listenOptions = {
    implementation: settings.HTTP_SERVER,
    isShared: worker.count > 1,
    headTimeoutMs: settings.HEAD_TIMEOUT_MS,
    bodyTimeoutMs: settings.BODY_TIMEOUT_MS,
    sendTimeoutMs: settings.SEND_TIMEOUT_MS,
    minBodyRate: settings.MIN_BODY_RATE,
    idleTimeoutMs: settings.IDLE_TIMEOUT_SECONDS * 1_000,
    budget,
    unsentBudget,
  };
  // It stops after the public port: probes are told of the stop until the end.
  const adminPort = settings.ADMIN_PORT;
  if (adminPort !== undefined) {
    await lifecycle.start({
      name: "admin http",
      start() {
        admin = listen(
          { ...app, edge: { finish: app.edge.finish, expectsProxyHeader: undefined } },
          {
            ...listenOptions,
            port: adminPort,
            host: settings.ADMIN_HOST,
            maxConnections: MAX_ADMIN_CONNECTIONS,
            serves: portPaths.admin,
          },
        );
      },
      async stop() {
        await admin?.stop(STOP_MARGIN_MS, () => {});
      },
    });
  }
  await lifecycle.start({
    name: "http",
    start() {
      server = listen(app, {
        ...listenOptions,
        port: settings.PORT,
        host: settings.HOST,
        maxConnections,
        ...(certificate !== undefined && { tls: certificate.tls }),
        ...(admin !== undefined && { serves: portPaths.public }),
      });
    },
    async stop() {
      const requests = (await server?.stop(forRequests, () => delivery.settlePending())) ?? 0;
      if (requests > 0) log.warn({ requests }, "requests aborted at the shutdown limit");
    },
    stopBudgetMs: forRequests + STOP_MARGIN_MS,
  });
  await follow(lifecycle, "certificate", certificateReloader);
  await lifecycle.start({
    name: "draining",
    async stop() {
      server?.drain();
      await Bun.sleep(settings.SHUTDOWN_DELAY_MS);
    },
    stopBudgetMs: settings.SHUTDOWN_DELAY_MS + STOP_MARGIN_MS,
  });
  return {
    port: server?.port ?? settings.PORT,
    ...(admin !== undefined && { adminPort: admin.port }),
  };
}

/** Reads the files of a reloader again when they change, and on SIGHUP. */
async function follow(
  lifecycle: Lifecycle,
  name: string,
  reloader: Pick<CertificateReloader, "start" | "stop" | "reload"> | undefined,
): Promise<void> {
  if (reloader === undefined) return;
  lifecycle.onReload(() => reloader.reload());
  await lifecycle.start({ name, start: () => reloader.start(), stop: () => reloader.stop() });
}
