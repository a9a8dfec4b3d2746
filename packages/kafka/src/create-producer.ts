// The producer of this package, behind its interface.
import { ConfluentProducer } from "./confluent-producer.ts";
import type { KafkaProducer, ProducerOptions } from "./producer.ts";

/**
 * Creates a producer without connecting it.
 * @throws KafkaError `unsupported` or `invalid_config`
 */
export function createProducer(options: ProducerOptions): KafkaProducer {
  return new ConfluentProducer(options);
}
