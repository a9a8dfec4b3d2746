// A worker's side: asked for health or figures, it answers for all of them, by asking the parent.
import type { HealthSource, Log } from "@ingest/service";
import type { OwnHealth } from "../server.ts";
import { Exchange } from "./exchange.ts";
import type { FromParent, FromWorker, WholeReport } from "./messages.ts";

const ANSWER_TIMEOUT_MS = 2_000;

/** The channel to the parent: `process` in a worker. */
export interface ParentChannel {
  send(message: FromWorker): void;
  onMessage(handle: (message: FromParent) => void): void;
  /** The parent is gone. */
  onClose(handle: () => void): void;
}

/** Puts the parent between this worker's health and those who ask for it. */
export function aggregateHealth(channel: ParentChannel, log: Log): (own: OwnHealth) => HealthSource {
  const questions = new Exchange<WholeReport>();
  return (own) => {
    const report = async (id: number) =>
      channel.send({ type: "reported", id, ready: own.ready(), metrics: await own.metricsJson() });
    channel.onMessage((message) => {
      if (message.type === "ping") channel.send({ type: "pong", id: message.id });
      else if (message.type === "answered") questions.answered(message.id, message);
      else
        report(message.id).catch((error) => log.warn({ error }, "this worker's figures can't be reported"));
    });
    const ask = () => questions.ask((id) => channel.send({ type: "ask", id }), ANSWER_TIMEOUT_MS);
    return {
      live: () => own.live(),
      // Without the parent's answer, this worker's own is better than none.
      ready: async () => (await ask())?.ready ?? own.ready(),
      metrics: async () => (await ask())?.metrics ?? own.metrics(),
    };
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
