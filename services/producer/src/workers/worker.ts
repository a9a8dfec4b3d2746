// The worker's side: it responds to requests for health and metrics with the report of the whole service, which it gets
// from the parent.
import type { HealthSource, Log } from "@ingest/service";
import type { Lease } from "../callers/limits/lease.ts";
import type { LeaseSource } from "../callers/limits/leased-limiter.ts";
import type { OwnHealth } from "../server.ts";
import type { FromParent, FromWorker, ServiceReport } from "./messages.ts";
import { RequestReply } from "./request-reply.ts";

const REPORT_TIMEOUT_MS = 2_000;
/** Requests of limited callers wait for their tokens no longer than this. */
const LEASE_TIMEOUT_MS = 1_000;

/** The channel to the parent: `process` in a worker. */
export interface ParentChannel {
  send(message: FromWorker): void;
  onMessage(handle: (message: FromParent) => void): void;
  /** The parent has ended. */
  onClose(handle: () => void): void;
}

/** Replaces a worker's own health and metrics by those of all workers. */
export function aggregateHealth(channel: ParentChannel, log: Log): (own: OwnHealth) => HealthSource {
  const serviceReports = new RequestReply<ServiceReport>();
  return (own) => {
    const sendReport = async (id: number) =>
      channel.send({ type: "worker_report", id, ready: own.ready(), metrics: await own.metricsJson() });
    channel.onMessage((message) => {
      if (message.type === "ping") channel.send({ type: "pong", id: message.id });
      else if (message.type === "service_report") serviceReports.onReply(message.id, message);
      else if (message.type === "get_worker_report")
        sendReport(message.id).catch((error) => log.warn({ error }, "sending the worker report failed"));
    });
    const serviceReport = () =>
      serviceReports.request((id) => channel.send({ type: "get_service_report", id }), REPORT_TIMEOUT_MS);
    return {
      live: () => own.live(),
      // Without a reply from the parent, this worker's own health is better than none.
      ready: async () => (await serviceReport())?.ready ?? own.ready(),
      metrics: async () => (await serviceReport())?.metrics ?? own.metrics(),
    };
  };
}

/** Tokens of the callers' limits, which the parent keeps. */
export function leasesFrom(channel: ParentChannel, log: Log): LeaseSource {
  const leases = new RequestReply<Lease>();
  channel.onMessage((message) => {
    if (message.type === "lease") leases.onReply(message.id, message);
  });
  return {
    request: (request) =>
      leases.request((id) => channel.send({ type: "get_lease", id, ...request }), LEASE_TIMEOUT_MS),
    giveBack(request) {
      try {
        channel.send({ type: "return_lease", ...request });
      } catch (error) {
        log.debug({ error }, "tokens could not be given back: the parent has ended");
      }
    },
  };
}

/** The channel of a process that was started by `superviseWorkers`. */
export function parentChannel(): ParentChannel {
  return {
    send: (message) => {
      process.send?.(message);
    },
    onMessage: (handle) => void process.on("message", handle),
    onClose: (handle) => void process.on("disconnect", handle),
  };
}
