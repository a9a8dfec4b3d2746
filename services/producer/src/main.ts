#!/usr/bin/env bun
// HTTP in, Kafka out. This file only wires, and alone reads the environment.
import { createLog, runService, settingsOrExit } from "@ingest/service";
import { readConfig } from "./config.ts";
import { startServer } from "./server.ts";

const config = settingsOrExit(() => readConfig(process.env));
const log = createLog("producer", config.settings);

await runService(log, async (lifecycle) => {
  const { port } = await startServer({ config, log, lifecycle });
  log.info({ port, topic: config.settings.KAFKA_TOPIC }, "listening");
});
