// The test suites, fast ones first, and what each requires of the machine.

/** A requirement that not every machine meets. */
export type Need = "addon" | "kafka" | "engine" | "chromium" | "proxies";

export interface Suite {
  readonly name: string;
  /** One line for the help text. */
  readonly about: string;
  /** Relative to the repository's root. */
  readonly folders: readonly string[];
  /** Subfolders that belong to another suite. */
  readonly except?: readonly string[];
  readonly needs: readonly Need[];
  /** The suite is killed after this time. */
  readonly limitSeconds: number;
}

export const suites: readonly Suite[] = [
  {
    name: "unit",
    about: "each module by itself, beside its source",
    folders: ["packages", "scripts", "test/images"],
    except: ["packages/kafka", "packages/kafka-native"],
    needs: [],
    limitSeconds: 300,
  },
  {
    name: "client",
    about: "the same for what uses Confluent's client, the services and the bench",
    folders: ["packages/kafka", "packages/kafka-native", "services", "bench", "benchmarks"],
    except: ["packages/kafka-native/conformance"],
    needs: ["addon"],
    limitSeconds: 420,
  },
  {
    name: "conformance",
    about: "the native addon on Bun and on Node: the same output",
    folders: ["packages/kafka-native/conformance"],
    needs: ["addon", "kafka"],
    limitSeconds: 600,
  },
  {
    name: "integration",
    about: "the services with a real Kafka",
    folders: ["test/integration"],
    needs: ["addon", "kafka"],
    limitSeconds: 900,
  },
  {
    name: "faults",
    about: "processes killed, stopped and disconnected; the short run",
    folders: ["test/faults"],
    needs: ["addon", "kafka"],
    limitSeconds: 420,
  },
  {
    name: "fuzz",
    about: "requests made from the OpenAPI document (needs python3), and malformed HTTP",
    folders: ["test/fuzz"],
    needs: ["addon", "kafka"],
    limitSeconds: 300,
  },
  {
    name: "proxies",
    about: "the producer behind nginx, HAProxy and Caddy; restarted under load",
    folders: ["test/proxies"],
    needs: ["addon", "kafka", "proxies"],
    limitSeconds: 300,
  },
  {
    name: "browser",
    about: "the pages, in Chromium",
    folders: ["test/browser"],
    needs: ["addon", "kafka", "chromium"],
    limitSeconds: 180,
  },
  {
    name: "compose",
    about: "the images and compose.yaml, in a Docker engine",
    folders: ["test/compose"],
    needs: ["engine"],
    limitSeconds: 900,
  },
];

/**
 * A suite's test files, sorted, relative to the root. With filters, only paths that contain one of them.
 * `bun test` gets files rather than folders, because it matches a bare name against any part of a path.
 */
export function testFiles(suite: Suite, root: string, filters: readonly string[] = []): string[] {
  const found = suite.folders.flatMap((folder) => [
    ...new Bun.Glob(`${folder}/**/*.test.ts`).scanSync({ cwd: root, onlyFiles: true }),
  ]);
  return found
    .filter((file) => !file.includes("node_modules/"))
    .filter((file) => !suite.except?.some((folder) => file.startsWith(`${folder}/`)))
    .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)))
    .sort();
}
