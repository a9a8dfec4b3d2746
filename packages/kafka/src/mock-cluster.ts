// A Kafka in this process's memory: librdkafka's own mock cluster, for development and tests without a broker.
import { connectClient, construct, disconnectClient } from "./client.ts";

export interface MockCluster {
  bootstrapServers: string;
  /** Partitions of every topic. Topics come into being when first mentioned. */
  partitions: number;
  close(): Promise<void>;
}

/** librdkafka's, and nothing reachable from here changes it. */
const MOCK_PARTITIONS = 4;

/**
 * Starts a mock cluster on free local ports. It knows produce, fetch, offsets, groups and transactions, and has no
 * admin requests; nothing is kept when it is closed.
 * @param options.brokers how many (1)
 * @param options.partitions a wish; the mock cluster gives every topic 4, as the answer says
 */
export async function startMockCluster(
  options: { brokers?: number; partitions?: number } = {},
): Promise<MockCluster> {
  const config = { "test.mock.num.brokers": options.brokers ?? 1, log_level: 3 };
  // The client that is told to have mock brokers is their home; it is never written with.
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
