#!/usr/bin/env bun
// `bun run rejected list|replay`: the events that Kafka rejected for good. This file only wires; see rejected/.
import { type Command, type CommandLine, runCommand } from "@ingest/cli-flags";
import { toKafkaError } from "@ingest/kafka";
import { exitCodes, settingsOrExit } from "@ingest/service";
import { readConfig } from "./config.ts";
import { type RejectedEvent, readRejected, rejectedFiles } from "./rejected/files.ts";
import { replayRejected } from "./rejected/replay.ts";

const flags = {} as const;

const command: Command<typeof flags> = {
  name: "bun run rejected",
  about: "Shows the events that Kafka rejected for good, or sends them again.",
  flags,
  operands: {
    name: "list|replay",
    help: "list: one line an event, with the reason; replay: send all",
    min: 1,
    max: 1,
  },
  notes: `The events are read from rejected.ndjson in the folders of JOURNAL_DIR. A replay needs the KAFKA_ settings of the
producer, which may keep running. Events that are rejected again stay, with the new reason.`,
};

async function main({ operands: [action] }: CommandLine<typeof flags>): Promise<number> {
  const { settings, kafka } = settingsOrExit(() => readConfig(process.env));
  try {
    if (action === "list") {
      const events = rejectedFiles(settings.JOURNAL_DIR).flatMap(readRejected);
      for (const event of events) print(event, `${event.code}: ${event.reason}`);
      process.stdout.write(`${events.length} rejected events in ${settings.JOURNAL_DIR}\n`);
      return exitCodes.clean;
    }
    if (action !== "replay") {
      process.stderr.write(`rejected: list or replay, got "${action}"\n`);
      return exitCodes.settings;
    }
    const { stored, refused } = await replayRejected({
      config: { ...kafka, "linger.ms": 0 },
      journalDir: settings.JOURNAL_DIR,
      topic: settings.KAFKA_TOPIC,
      onOutcome: (event, error) =>
        print(event, error === null ? "stored" : `rejected again: ${error.code}: ${error.message}`),
    });
    process.stdout.write(`stored ${stored}, rejected again ${refused}\n`);
    return refused === 0 ? exitCodes.clean : exitCodes.failed;
  } catch (thrown) {
    process.stderr.write(`rejected: ${toKafkaError(thrown).message}\n`);
    return exitCodes.failed;
  }
}

function print({ at, topic, key, value, place }: RejectedEvent, outcome: string): void {
  const keyText = key === null ? "none" : JSON.stringify(key);
  const bytes = Buffer.from(value, "base64").length;
  process.stdout.write(`${place} ${at} topic ${topic} key ${keyText} ${bytes} bytes ${outcome}\n`);
}

process.exit(await runCommand(command, process.argv.slice(2), main));
