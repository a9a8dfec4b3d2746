#!/usr/bin/env bun
// HTTP in, Kafka out. Only wiring is here, and only here the environment is read.
import { commandLineOrExit } from "@ingest/cli-flags";
import { passThroughSettings } from "@ingest/kafka";
import {
  configFlags,
  createLog,
  exitCodes,
  printConfigAndExit,
  readBoth,
  runService,
  settingsOrExit,
} from "@ingest/service";
import { readCallers, readCallersOfParent } from "./callers/read-file.ts";
import { producerRows, readConfig } from "./config.ts";
import { readRoutes } from "./routes/read-file.ts";
import { startServer } from "./server.ts";
import { readCertificate } from "./tls/certificate.ts";
import {
  aggregateHealth,
  leasesFrom,
  parentChannel,
  superviseWorkers,
  workerCount,
  workerIndex,
} from "./workers/index.ts";

const { values: flags } = await commandLineOrExit(
  {
    name: "bun run producer",
    about: "Takes events over HTTP and produces them to Kafka, in the foreground.",
    flags: configFlags,
    notes: "Settings are environment variables: docs/settings.md lists them.",
  },
  process.argv.slice(2),
);
const config = settingsOrExit(() => readConfig(process.env));
const { settings } = config;
const count = workerCount(settings);
const index = workerIndex(process.env);
const [callers, [certificate, routes]] = settingsOrExit(() =>
  readBoth(
    () => (index === undefined ? readCallers(settings) : readCallersOfParent(settings)),
    () =>
      readBoth(
        () => readCertificate(settings),
        () => readRoutes(settings),
      ),
  ),
);
await printConfigAndExit({
  flags,
  rows: producerRows,
  settings,
  others: passThroughSettings(process.env, "producer", Object.keys(producerRows)),
  env: process.env,
});
const log = createLog("producer", settings);

if (index !== undefined) {
  const workerLog = log.child({ worker: index });
  const channel = parentChannel();
  await runService(
    workerLog,
    async (lifecycle) => {
      // Without its parent, nothing else would stop this worker. A parent that exits before a stopping worker was forced to.
      channel.onClose(() => {
        if (lifecycle.isStopping) process.exit(exitCodes.failed);
        process.kill(process.pid, "SIGTERM");
      });
      const { port } = await startServer({
        config,
        callers,
        routes,
        certificate,
        log: workerLog,
        lifecycle,
        worker: { index, count },
        aggregateHealth: aggregateHealth(channel, workerLog),
        leases: leasesFrom(channel, workerLog),
      });
      channel.send({ type: "listening", port });
    },
    { secondSignal: "ignore" },
  );
} else {
  await runService(log, async (lifecycle) => {
    const start = () =>
      count > 1
        ? superviseWorkers({ main: import.meta.path, env: process.env, settings, callers, log, lifecycle })
        : startServer({ config, callers, routes, certificate, log, lifecycle });
    const ports = await start();
    log.info({ host: settings.HOST, ...ports, workers: count, topic: settings.KAFKA_TOPIC }, "listening");
  });
}
