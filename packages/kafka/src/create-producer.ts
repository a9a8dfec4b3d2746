// The producer of this package, behind its interface.
import { ConfluentProducer } from "./confluent-producer.ts";
import type { KafkaProducer, ProducerOptions } from "./producer.ts";

/**
 * Makes a producer; nothing is loaded or connected yet but for the client itself.
 * @throws KafkaError `unsupported` or `invalid_config`
 */
export function createProducer(options: ProducerOptions): KafkaProducer {
  return new ConfluentProducer(options);
}
