import { hasKafka } from "./artifacts.ts";
import { type Broker, startBroker } from "./broker.ts";

/** A broker that several tests share. */
export interface SharedBroker {
  readonly bootstrapServers: string;
}

let started: Promise<Broker> | undefined;

/**
 * A broker for tests that leave it running: the one named by `KAFKA_TEST_BOOTSTRAP_SERVERS` (which `bun run test`
 * starts and sets), else one of this process's own, started on first use.
 * Each test uses topics and groups of its own.
 */
export async function sharedBroker(): Promise<SharedBroker> {
  const given = process.env.KAFKA_TEST_BOOTSTRAP_SERVERS;
  if (given) return { bootstrapServers: given };
  started ??= startBroker();
  return started;
}

/**
 * Can a broker be started here at all? For `describe.skipIf`, where a test starts brokers of its own on machines that
 * may have no Java. A Java that is too old is reported when the broker starts.
 */
export function canStartBroker(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  const hasJava = Boolean(env.JAVA_HOME) || Bun.which("java") !== null;
  return hasJava && (hasKafka() || Bun.which("mvn") !== null);
}
