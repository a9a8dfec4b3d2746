import { join } from "node:path";
import { BrokerError } from "./errors.ts";
import { runCommand } from "./run.ts";

/** Kafka 4 brokers need Java 17 (https://kafka.apache.org/documentation/#java). */
const minimumJavaMajor = 17;

export interface Java {
  command: string;
  /** As Java prints it, e.g. "17.0.15". */
  version: string;
}

/** The major version in `java -version` output, e.g. 17 for `openjdk version "17.0.15"`; 8 for `"1.8.0_402"`. */
export function parseJavaVersion(output: string): { version: string; major: number } | undefined {
  const version = /version "([^"]+)"/.exec(output)?.[1];
  if (version === undefined) return undefined;
  const [first = "", second = ""] = version.split(/[.\-_+]/);
  return { version, major: Number(first === "1" ? second : first) };
}

/**
 * Finds the Java to run Kafka with: `JAVA_HOME`'s, else the one on PATH.
 * @throws BrokerError `no_java` or `java_too_old`
 */
export async function findJava(
  env: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Java> {
  const command = env.JAVA_HOME ? join(env.JAVA_HOME, "bin", "java") : "java";
  const { exitCode, output } = await runCommand([command, "-version"]);
  const found = exitCode === 0 ? parseJavaVersion(output) : undefined;
  if (found === undefined) {
    throw new BrokerError(
      "no_java",
      `no Java: ${command} does not run. The development broker needs a Java ${minimumJavaMajor} or newer runtime on PATH or in JAVA_HOME.`,
    );
  }
  if (!(found.major >= minimumJavaMajor)) {
    throw new BrokerError(
      "java_too_old",
      `${command} is Java ${found.version}, and Kafka needs ${minimumJavaMajor} or newer: install one, or point JAVA_HOME at it.`,
    );
  }
  return { command, version: found.version };
}
