#!/usr/bin/env bun
// The consumer's entry point. This file only wires; see app.ts.
import { commandLineOrExit } from "@ingest/cli-flags";
import { passThroughSettings } from "@ingest/kafka";
import {
  configFlags,
  createLog,
  exitCodes,
  isJsonLog,
  printConfigAndExit,
  runService,
  settingsOrExit,
} from "@ingest/service";
import { SERVICE_NAME, startConsumer } from "./app.ts";
import { consumerRows, readSettings } from "./config.ts";
import { deadLetterProducerConfig } from "./dead-letter/producer-config.ts";
import { LineWriter } from "./output/line-writer.ts";

const { values: flags } = await commandLineOrExit(
  {
    name: "bun run consumer",
    about: "Reads events from Kafka and passes each to a handler, in the foreground.",
    flags: configFlags,
    notes: "Settings are environment variables: docs/settings.md lists them.",
  },
  process.argv.slice(2),
);
const settings = settingsOrExit(() => readSettings(process.env));
if (settings.DEAD_LETTER_TOPIC !== "off") settingsOrExit(() => deadLetterProducerConfig(process.env));
await printConfigAndExit({
  flags,
  rows: consumerRows,
  settings,
  others: passThroughSettings(process.env, "consumer", Object.keys(consumerRows)),
  env: process.env,
});
const output = new LineWriter(1, (error) => {
  process.stderr.write(`${SERVICE_NAME}: writing to standard output failed: ${error.message}\n`);
  process.exit(exitCodes.failed);
});
process.on("exit", () => output.flushSync());
const log = createLog(SERVICE_NAME, settings, isJsonLog(settings) ? output : output.toStream());

await runService(log, (lifecycle) =>
  startConsumer({
    settings,
    env: process.env,
    log,
    output,
    lifecycle,
    onFatal(error) {
      if (lifecycle.isStopping) return;
      log.fatal({ code: error.code, error: error.message }, "fatal Kafka error: exiting");
      void lifecycle.stop().then(() => process.exit(exitCodes.failed));
    },
  }),
);
