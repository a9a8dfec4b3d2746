// From our consumer to Confluent's, for what takes that one: the offsets of a transaction. Not for outside this package.
import type { KafkaConsumer as ConfluentKafkaConsumer } from "@confluentinc/kafka-javascript";

const clients = new WeakMap<object, ConfluentKafkaConsumer>();

export function rememberClient(consumer: object, client: ConfluentKafkaConsumer): void {
  clients.set(consumer, client);
}

/** @throws TypeError for what `createConsumer` has not made */
export function clientOf(consumer: object): ConfluentKafkaConsumer {
  const client = clients.get(consumer);
  if (client === undefined) throw new TypeError("not a consumer of createConsumer's");
  return client;
}
