// Which of the suites' requirements this machine meets, and one Kafka broker for all suites.
import type { Need } from "./suites.ts";

export interface Machine extends AsyncDisposable {
  /** Environment variables for the test processes. */
  readonly env: Readonly<Record<string, string>>;
  /** Why a suite with these requirements can't run here; undefined when it can. */
  missing(needs: readonly Need[]): string | undefined;
}

/** Checks the requirements, and starts the shared broker if Kafka can run here. */
export async function probeMachine(needs: readonly Need[]): Promise<Machine> {
  const reasons = new Map<Need, string>();
  const env: Record<string, string> = {};

  // Imported here, because it is in node_modules only after the dependencies are installed.
  const { BrokerError, canStartBroker, startBroker } = await import("@ingest/broker");
  let broker: AsyncDisposable | undefined;
  try {
    if (!canStartBroker())
      throw new BrokerError("no_java", "no Kafka: it needs Java 17 and, the first time, Maven");
    const started = await startBroker({ onProgress: (message) => console.log(message) });
    broker = started;
    env.KAFKA_TEST_BOOTSTRAP_SERVERS = started.bootstrapServers;
  } catch (thrown) {
    const cannotRun = ["no_java", "java_too_old", "no_maven"];
    if (!(thrown instanceof BrokerError && cannotRun.includes(thrown.code))) throw thrown;
    reasons.set("kafka", thrown.message);
  }
  if (needs.includes("addon")) setReason(reasons, "addon", await whyNoAddon());
  if (needs.includes("engine")) setReason(reasons, "engine", await whyNoEngine());
  if (needs.includes("chromium")) setReason(reasons, "chromium", whyNoChromium());
  if (needs.includes("proxies")) setReason(reasons, "proxies", whyNoProxies());

  return {
    env,
    missing: (wanted) => wanted.map((need) => reasons.get(need)).find((reason) => reason !== undefined),
    async [Symbol.asyncDispose]() {
      await broker?.[Symbol.asyncDispose]();
    },
  };
}

function setReason(reasons: Map<Need, string>, need: Need, reason: string | undefined): void {
  if (reason !== undefined) reasons.set(need, reason);
}

async function whyNoAddon(): Promise<string | undefined> {
  const { installedManifest } = await import("../../packages/kafka-native/build/ensure.ts");
  return installedManifest()
    ? undefined
    : "the native addon of Confluent's client is not built (bun install reports why)";
}

async function whyNoEngine(): Promise<string | undefined> {
  if (Bun.which("docker") === null) return "no docker command";
  if (!(await succeeds(["docker", "info"]))) return "no Docker engine responds (docker info)";
  if (!(await succeeds(["docker", "compose", "version"]))) return "no docker compose plugin";
  return undefined;
}

function whyNoChromium(): string | undefined {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  if (process.env.CHROMIUM_PATH || names.some((name) => Bun.which(name) !== null)) return undefined;
  return `no Chromium: neither CHROMIUM_PATH nor ${names.join(", ")}`;
}

function whyNoProxies(): string | undefined {
  const absent = ["nginx", "haproxy", "caddy", "openssl"].filter((name) => Bun.which(name) === null);
  return absent.length === 0 ? undefined : `not installed: ${absent.join(", ")}`;
}

async function succeeds(command: string[]): Promise<boolean> {
  const child = Bun.spawn(command, { stdio: ["ignore", "ignore", "ignore"], timeout: 20_000 });
  return (await child.exited) === 0;
}
