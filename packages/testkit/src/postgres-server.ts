// A PostgreSQL of a test's own: in a temporary folder, on a Unix socket, as a user that isn't root.
import { chmodSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { SQL, type Subprocess } from "bun";
import { temporaryFolder } from "./temporary-folder.ts";
import { until } from "./until.ts";

/** Where Debian and others put the server's programs, which are seldom on PATH. */
const DEBIAN_FOLDER = "/usr/lib/postgresql";
const START_WITHIN_MS = 30_000;

/** The folder with `initdb` and `postgres`; undefined where PostgreSQL isn't installed. */
function findPrograms(): string | undefined {
  const versions = existsSync(DEBIAN_FOLDER) ? readdirSync(DEBIAN_FOLDER).sort() : [];
  const folders = versions.reverse().map((version) => join(DEBIAN_FOLDER, version, "bin"));
  const onPath = Bun.which("initdb");
  if (onPath !== null) folders.push(join(onPath, ".."));
  return folders.find((folder) => existsSync(join(folder, "initdb")));
}

/** PostgreSQL refuses to run as root. */
function asOrdinaryUser(command: string[]): string[] {
  if (process.getuid?.() !== 0) return command;
  return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", ...command];
}

/** For titles of tests: why they are left out here; undefined where they can run. */
export const whyNoPostgres = findPrograms() === undefined ? "PostgreSQL is not installed" : undefined;

/** Killed, and its folder removed, when disposed of. */
export class PostgresServer implements AsyncDisposable {
  readonly url: string;
  readonly #folder: ReturnType<typeof temporaryFolder>;
  #process: Subprocess | undefined;

  private constructor() {
    this.#folder = temporaryFolder("postgres");
    chmodSync(this.#folder.path, 0o777);
    this.url = `postgres://test@localhost/postgres?host=${encodeURIComponent(this.#folder.path)}`;
  }

  static async start(): Promise<PostgresServer> {
    const server = new PostgresServer();
    const { path } = server.#folder;
    const init = Bun.spawnSync(
      asOrdinaryUser([
        ...[join(findPrograms()!, "initdb"), "-D", join(path, "data"), "-U", "test"],
        ...["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"],
      ]),
      { cwd: path },
    );
    if (init.exitCode !== 0) throw new Error(`initdb failed: ${init.stderr}`);
    await server.restart();
    return server;
  }

  /** Starts it again after `kill`, and waits until it responds. */
  async restart(): Promise<void> {
    await until(
      "PostgreSQL",
      async () => {
        // A server that was killed leaves processes behind, which keep the next one from starting for a moment.
        const { exitCode, signalCode } = this.#process ?? { exitCode: 0, signalCode: null };
        if (exitCode !== null || signalCode !== null) this.#process = this.#spawn();
        return (await this.query("select 1")).length === 1;
      },
      START_WITHIN_MS,
    );
  }

  /** As a crash would: nothing is flushed that was not flushed before. */
  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.exited;
  }

  /** Stops or resumes all of its responses, without ending a connection. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    const { pid } = this.#process!;
    const children = Bun.spawnSync(["ps", "-o", "pid=", "--ppid", String(pid)]).stdout.toString();
    for (const child of [pid, ...children.split(/\s+/).filter(Boolean).map(Number)])
      process.kill(child, signal);
  }

  /** Rows as objects. */
  async query(statement: string): Promise<Record<string, unknown>[]> {
    const sql = new SQL(this.url, { max: 1, connectionTimeout: 2 });
    try {
      return [...(await sql.unsafe(statement))];
    } finally {
      await sql.close({ timeout: 0 });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    this.#folder[Symbol.dispose]();
  }

  #spawn(): Subprocess {
    const { path } = this.#folder;
    const data = join(path, "data");
    const command = [join(findPrograms()!, "postgres"), "-D", data, "-k", path, "-h", "", "-c", "fsync=off"];
    return Bun.spawn(asOrdinaryUser(command), { cwd: path, stdout: "ignore", stderr: "ignore" });
  }
}
