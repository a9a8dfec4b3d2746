// A broker of a test file's own, which it may stop and kill, and topics on it.
import { type Broker, startBroker } from "@ingest/broker";
import { KafkaFixture } from "./kafka-fixture.ts";

export interface OwnBroker extends AsyncDisposable {
  readonly broker: Broker;
  readonly kafka: KafkaFixture;
}

/** Starts a broker with default properties. Disposal deletes the topics and stops the broker. */
export async function startOwnBroker(): Promise<OwnBroker> {
  const broker = await startBroker();
  const kafka = await KafkaFixture.connect(broker.bootstrapServers);
  return {
    broker,
    kafka,
    async [Symbol.asyncDispose]() {
      await kafka[Symbol.asyncDispose]();
      await broker[Symbol.asyncDispose]();
    },
  };
}
