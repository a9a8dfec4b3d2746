// A topic's settings as its brokers have them (admin/topic_config.h).
import type { KafkaConsumer, Producer } from "@confluentinc/kafka-javascript";
import { nativeAddon } from "./addon.ts";

/**
 * Reads the settings of a topic, set for it or inherited. The client must stay connected until the callback.
 * @param done called once, with librdkafka's error code (0 for none) and the settings
 */
export function topicConfig(
  client: Producer | KafkaConsumer,
  topic: string,
  timeoutMs: number,
  done: (code: number, settings: ReadonlyMap<string, string>) => void,
): void {
  nativeAddon().topicConfig(client.getClient(), topic, timeoutMs, (code, entries) => {
    const settings = new Map<string, string>();
    for (let i = 0; i + 1 < entries.length; i += 2) settings.set(entries[i]!, entries[i + 1]!);
    done(code, settings);
  });
}
