import { afterEach, describe, expect, test } from "bun:test";
import { Registry } from "@ingest/service";
import { until } from "@ingest/testkit";
import pino from "pino";
import type { FromParent, FromWorker } from "./messages.ts";
import { MAX_MISSED, Supervisor, type WorkerProcess } from "./supervisor.ts";

/** A worker without a process. */
class FakeWorker implements WorkerProcess {
  readonly received: FromParent[] = [];
  readonly signals: NodeJS.Signals[] = [];
  readonly exited: Promise<{ code: number | null; signal: string | null }>;
  end!: (code: number | null, signal?: string | null) => void;

  constructor(
    readonly pid: number,
    readonly index: number,
    readonly port: number,
    readonly emit: (message: FromWorker) => void,
  ) {
    this.exited = new Promise((resolve) => {
      this.end = (code, signal = null) => resolve({ code, signal });
    });
  }
  /** Suspended, or in an endless loop: it sends nothing, and only SIGKILL ends it. */
  isHung = false;

  send(message: FromParent): void {
    this.received.push(message);
    if (this.isHung) return;
    if (message.type === "ping") this.emit({ type: "pong", id: message.id });
    if (message.type === "get_worker_report")
      this.emit({ type: "worker_report", id: message.id, ready: { ok: true }, metrics: [] });
  }
  kill(signal: NodeJS.Signals): void {
    this.signals.push(signal);
    if (signal === "SIGKILL") this.end(null, signal);
    else if (!this.isHung) this.end(0);
  }
}

const running: Supervisor[] = [];
afterEach(async () => {
  for (const supervisor of running.splice(0)) await supervisor.stop(0).catch(() => undefined);
});

interface Options {
  port?: number;
  isListening?: boolean;
  pingMs?: number;
  startTimeoutMs?: number;
  /** Called before each spawn with the number of earlier ones; throws to make the spawn fail. */
  beforeSpawn?: (started: number) => void;
}

function supervise(count: number, options: Options = {}) {
  const workers: FakeWorker[] = [];
  const supervisor = new Supervisor({
    count,
    port: options.port ?? 0,
    registry: new Registry(),
    log: pino({ level: "silent" }),
    firstPauseMs: 1,
    pingMs: options.pingMs ?? 10_000,
    startTimeoutMs: options.startTimeoutMs ?? 10_000,
    lend: () => ({
      granted: { events: 1, bytes: 0 },
      state: { events: 0, bytes: 0, used: { events: 0, bytes: 0 } },
    }),
    spawn(index, port, onMessage) {
      options.beforeSpawn?.(workers.length);
      const worker = new FakeWorker(workers.length + 1, index, port, onMessage);
      workers.push(worker);
      if (options.isListening !== false)
        queueMicrotask(() => onMessage({ type: "listening", port: port || 4321 }));
      return worker;
    },
  });
  running.push(supervisor);
  return { supervisor, workers };
}

describe("start", () => {
  test("the first worker takes a free port, and the others share it", async () => {
    const { supervisor, workers } = supervise(3);
    expect(await supervisor.start()).toBe(4321);
    expect(workers.map(({ index, port }) => [index, port])).toEqual([
      [0, 0],
      [1, 4321],
      [2, 4321],
    ]);
  });

  test("fails when a worker ends before it listens", async () => {
    const { supervisor, workers } = supervise(2, { isListening: false });
    const started = supervisor.start();
    workers[0]!.end(2);
    expect(started).rejects.toThrow("worker 0 ended with exit code 2 before it listened");
  });
});

describe("a worker that ends", () => {
  test("is restarted on the same port, with the same index", async () => {
    const { supervisor, workers } = supervise(2);
    await supervisor.start();
    workers[1]!.end(null, "SIGKILL");
    await until("3 workers", () => workers.length === 3);
    expect(workers[2]).toMatchObject({ index: 1, port: 4321 });
    expect(supervisor.restarts).toMatchObject({ ended: 1, hung: 0 });
    workers[2]!.end(1);
    await until("4 workers", () => workers.length === 4);
    expect(workers[3]).toMatchObject({ index: 1 });
  });

  test("is not restarted while the service stops", async () => {
    const { supervisor, workers } = supervise(2);
    await supervisor.start();
    await supervisor.stop(10_000);
    expect(workers).toHaveLength(2);
    expect(supervisor.restarts).toEqual({ ended: 0, hung: 0, not_started: 0 });
  });
});

describe("a worker that hangs", () => {
  test("is killed and restarted, and the others are not", async () => {
    const { supervisor, workers } = supervise(2, { pingMs: 2 });
    await supervisor.start();
    workers[1]!.isHung = true;
    await until("3 workers", () => workers.length === 3);
    expect(workers[2]).toMatchObject({ index: 1, port: 4321 });
    expect(workers[1]!.signals).toEqual(["SIGKILL"]);
    expect(workers[1]!.received.filter(({ type }) => type === "ping").length).toBeGreaterThanOrEqual(
      MAX_MISSED,
    );
    expect(workers[0]!.signals).toEqual([]);
    expect(supervisor.restarts).toMatchObject({ ended: 0, hung: 1 });
  });

  test("is left alone when it hangs for a moment only", async () => {
    const { supervisor, workers } = supervise(1, { pingMs: 20 });
    await supervisor.start();
    const pings = () => workers[0]!.received.length;
    workers[0]!.isHung = true;
    await until("the second ping", () => pings() === 2);
    workers[0]!.isHung = false;
    await until("the last ping", () => pings() === MAX_MISSED + 2);
    expect(workers[0]!.signals).toEqual([]);
  });

  test("is killed after the start timeout while it starts", async () => {
    const { supervisor, workers } = supervise(1, { isListening: false, startTimeoutMs: 10 });
    const started = supervisor.start();
    workers[0]!.isHung = true;
    expect(started).rejects.toThrow("worker 0 ended with SIGKILL before it listened");
  });

  test("is killed at the end of the stop budget: it would hold port and journal", async () => {
    const { supervisor, workers } = supervise(2);
    await supervisor.start();
    workers[1]!.isHung = true;
    expect(supervisor.stop(10)).rejects.toThrow("worker 1 ended with SIGKILL");
    await until("both signals", () => workers[1]!.signals.length === 2);
    expect(workers.map(({ signals }) => signals)).toEqual([["SIGTERM"], ["SIGTERM", "SIGKILL"]]);
  });
});

test("a spawn that fails for lack of processes is retried", async () => {
  let refusals = 2;
  const { supervisor, workers } = supervise(1, {
    beforeSpawn: (started) => {
      if (started > 0 && refusals-- > 0) throw new Error("EAGAIN");
    },
  });
  await supervisor.start();
  workers[0]!.end(1);
  await until("2 workers", () => workers.length === 2);
  expect(refusals).toBe(-1);
  expect(supervisor.restarts).toMatchObject({ ended: 1 });
});

describe("stop", () => {
  test("forwards SIGTERM once and waits for each worker", async () => {
    const { supervisor, workers } = supervise(2);
    await supervisor.start();
    await supervisor.stop(10_000);
    expect(workers.map(({ signals }) => signals)).toEqual([["SIGTERM"], ["SIGTERM"]]);
  });

  test("names the worker whose exit code is not 0", async () => {
    const { supervisor, workers } = supervise(2);
    await supervisor.start();
    workers[1]!.kill = () => workers[1]!.end(1);
    expect(supervisor.stop(10_000)).rejects.toThrow("worker 1 ended with exit code 1");
  });
});

describe("a worker that requests the service report", () => {
  test("receives the health of all workers", async () => {
    const { supervisor, workers } = supervise(2);
    await supervisor.start();
    workers[1]!.emit({ type: "get_service_report", id: 7 });
    await until("the report of all", () =>
      workers[1]!.received.some(({ type }) => type === "service_report"),
    );
    expect(workers[1]!.received.at(-1)).toMatchObject({
      type: "service_report",
      id: 7,
      ready: {
        ok: true,
        workers: [
          { worker: 0, status: "ok" },
          { worker: 1, status: "ok" },
        ],
      },
    });
  });

  test("receives the health of the others when one has ended", async () => {
    const { supervisor, workers } = supervise(2);
    await supervisor.start();
    workers[0]!.send = () => {
      throw new Error("closed");
    };
    workers[1]!.emit({ type: "get_service_report", id: 8 });
    await until("the report of all", () =>
      workers[1]!.received.some(({ type }) => type === "service_report"),
    );
    expect(workers[1]!.received.at(-1)).toMatchObject({
      ready: {
        ok: true,
        workers: [
          { worker: 0, status: "unresponsive" },
          { worker: 1, status: "ok" },
        ],
      },
    });
  });
});

test("lends tokens to a worker that asks, and sends nothing to one that gives back", async () => {
  const { supervisor, workers } = supervise(1);
  await supervisor.start();
  const none = { events: 0, bytes: 0 };
  const limits = {
    eventsPerSecond: 1,
    burstEvents: undefined,
    bytesPerSecond: undefined,
    burstBytes: undefined,
    eventsPerDay: undefined,
    bytesPerDay: undefined,
  };
  const request = { caller: "shop", limits, unused: none, needs: none };
  workers[0]!.emit({ type: "return_lease", ...request });
  workers[0]!.emit({ type: "get_lease", id: 7, ...request });
  expect(workers[0]!.received).toEqual([
    { type: "lease", id: 7, granted: { events: 1, bytes: 0 }, state: { ...none, used: none } },
  ]);
});
