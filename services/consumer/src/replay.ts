#!/usr/bin/env bun
// `bun run replay`: replays dead letters to their original topic. This file only wires; see dead-letter/replay.ts.
import { type Command, type CommandLine, runCommand } from "@ingest/cli-flags";
import { deadLetterTopic } from "@ingest/contract";
import { toClientConfig, toKafkaError } from "@ingest/kafka";
import { exitCodes, settingsOrExit } from "@ingest/service";
import { readSettings } from "./config.ts";
import { deadLetterProducerConfig } from "./dead-letter/producer-config.ts";
import { replay } from "./dead-letter/replay.ts";

const flags = {
  topic: { kind: "text", value: "NAME", help: "the original topic (default: KAFKA_TOPIC)" },
  limit: { kind: "integer", min: 1, help: "replay at most this many dead letters (default: all that exist)" },
  "dry-run": { kind: "switch", help: "show what would be replayed; write nothing" },
} as const;

const command: Command<typeof flags> = {
  name: "bun run replay",
  about: "Replays dead letters: writes each original record to its topic again, once.",
  flags,
  notes: `Dead letters are read from DEAD_LETTER_TOPIC, or from <topic>.dead-letter. The connection is configured by
KAFKA_BOOTSTRAP_SERVERS and the other KAFKA_ settings, as for the consumer. Progress is committed by the group
<KAFKA_GROUP_ID>.replay, so the next run continues and repeats nothing.`,
};

async function main({ values }: CommandLine<typeof flags>): Promise<number> {
  // The name has the same rules as the setting.
  const env = values.topic === undefined ? process.env : { ...process.env, KAFKA_TOPIC: values.topic };
  const settings = settingsOrExit(() => readSettings(env));
  const topic = settings.KAFKA_TOPIC;
  const source = settings.DEAD_LETTER_TOPIC ?? deadLetterTopic(topic);
  if (source === "off") {
    process.stderr.write("replay: DEAD_LETTER_TOPIC is off: there are no dead letters\n");
    return exitCodes.settings;
  }
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"] as const)
    process.once(signal, () => stop.abort());
  const replayedText = values["dry-run"] ? "would replay" : "replayed";
  try {
    const { KAFKA_GROUP_INSTANCE_ID: _, ...shared } = settings;
    const { replayed, skipped } = await replay({
      consumer: {
        ...toClientConfig(shared, "consumer", process.env),
        "group.id": `${settings.KAFKA_GROUP_ID}.replay`,
        // Existing dead letters are replayed, wherever the events' group starts.
        "auto.offset.reset": "earliest",
      },
      producer: deadLetterProducerConfig(process.env),
      deadLetterTopic: source,
      topic,
      limit: values.limit ?? Number.POSITIVE_INFINITY,
      isDryRun: values["dry-run"],
      signal: stop.signal,
      onDeadLetter({ partition, offset, key }, skipReason) {
        const keyText = key === null ? "none" : JSON.stringify(key.toString());
        const outcome = skipReason === undefined ? replayedText : `skipped: it ${skipReason}`;
        process.stdout.write(`${source}[${partition}]@${offset} key ${keyText} ${outcome}\n`);
      },
    });
    process.stdout.write(`${replayedText} ${replayed}, skipped ${skipped}, from ${source} to ${topic}\n`);
    return exitCodes.clean;
  } catch (thrown) {
    const { message, code } = toKafkaError(thrown);
    process.stderr.write(`replay: ${message} (${code})\n`);
    return exitCodes.failed;
  }
}

process.exit(await runCommand(command, process.argv.slice(2), main));
