// A Kafka in this process's memory: librdkafka's own mock cluster, for development and tests without a broker.
import { connectClient, construct, disconnectClient } from "./client.ts";

export interface MockCluster {
  bootstrapServers: string;
  /** Partitions of every topic. Topics are created when first mentioned. */
  partitions: number;
  close(): Promise<void>;
}

/** librdkafka's default, which the client's configuration can't change. */
const MOCK_PARTITIONS = 4;

/**
 * Starts a mock cluster on free local ports. It supports produce, fetch, offsets, groups and transactions, but no admin
 * requests; closing it deletes everything.
 * @param options.brokers how many (1)
 * @param options.partitions ignored: every topic has 4, as the result reports
 */
export async function startMockCluster(
  options: { brokers?: number; partitions?: number } = {},
): Promise<MockCluster> {
  const config = { "test.mock.num.brokers": options.brokers ?? 1, log_level: 3 };
  // The mock brokers live in this client, which itself produces nothing.
  const home = construct(config, ({ Producer }) => new Producer(config as object));
  const { brokers } = await connectClient(home, 10_000);
  return {
    bootstrapServers: brokers.map(({ host, port }) => `${host}:${port}`).join(","),
    partitions: MOCK_PARTITIONS,
    close: async () => {
      await disconnectClient(home, 5_000);
    },
  };
}
