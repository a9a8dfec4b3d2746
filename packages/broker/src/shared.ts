import { hasKafka } from "./artifacts.ts";
import { type Broker, startBroker } from "./broker.ts";

/** What a test needs to use a broker that others use too. */
export interface SharedBroker {
  readonly bootstrapServers: string;
}

let started: Promise<Broker> | undefined;

/**
 * A broker for tests that do it no harm: the one named by `KAFKA_TEST_BOOTSTRAP_SERVERS` (which `bun run test`
 * starts and sets), else one for this process, started on first use and gone with the process.
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
 * may have no Java. A Java that is too old still says so when the broker starts.
 */
export function canStartBroker(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  const hasJava = Boolean(env.JAVA_HOME) || Bun.which("java") !== null;
  return hasJava && (hasKafka() || Bun.which("mvn") !== null);
}
