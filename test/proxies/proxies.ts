// The proxies of deploy/proxies, each with its file from there, on ports of the test.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "@ingest/broker";
import { RawSocket, temporaryFolder, until } from "@ingest/testkit";
import type { Subprocess } from "bun";

const folder = join(import.meta.dir, "../../deploy/proxies");

interface Proxy {
  /** In deploy/proxies. */
  readonly file: string;
  /** @param path a folder for its files  @param text the file with the test's ports */
  toCommand(path: string, text: string): string[];
}

const haproxy = (file: string): Proxy => ({ file, toCommand: toHaproxy });
const proxies = {
  nginx: { file: "nginx.conf", toCommand: toNginx },
  haproxy: haproxy("haproxy.cfg"),
  "haproxy-tcp": haproxy("haproxy-tcp.cfg"),
  caddy: { file: "Caddyfile", toCommand: toCaddy },
} as const satisfies Record<string, Proxy>;
export type ProxyName = keyof typeof proxies;

export interface ProxyOptions {
  name: ProxyName;
  producerPorts: readonly [number, number];
  /** Changes the file further. */
  edit?(text: string): string;
}

/** A proxy in the foreground, in front of the two producers. Killed when disposed of. */
export class RunningProxy implements AsyncDisposable {
  readonly #files = temporaryFolder("proxy");
  readonly #child: Subprocess;

  private constructor(
    { name, producerPorts, edit = (text) => text }: ProxyOptions,
    readonly port: number,
  ) {
    const { file, toCommand } = proxies[name];
    const { path } = this.#files;
    const command = toCommand(path, edit(configure(file, port, producerPorts)));
    this.#child = Bun.spawn(command, {
      stdio: ["ignore", "ignore", "inherit"],
      // Caddy keeps files of its own there.
      env: { PATH: process.env.PATH, HOME: path },
    });
  }

  static async start(options: ProxyOptions): Promise<RunningProxy> {
    const proxy = new RunningProxy(options, await freePort());
    await until(`${options.name} to listen`, async () => {
      using socket = new RawSocket(proxy.port);
      return await until("the connection", () => socket.hasConnected, 1_000).catch(() => false);
    });
    return proxy;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.exited;
    this.#files[Symbol.dispose]();
  }
}

/** The file of a proxy with the test's ports instead of its own. */
function configure(file: string, port: number, [first, second]: readonly [number, number]): string {
  return readFileSync(join(folder, file), "utf8")
    .replaceAll("producer-1:3000", `127.0.0.1:${first}`)
    .replaceAll("producer-2:3000", `127.0.0.1:${second}`)
    .replace("listen 8080", `listen 127.0.0.1:${port}`)
    .replace("bind :8080", `bind 127.0.0.1:${port}`)
    .replace("http://:8080 {", `http://:${port} {\n\tbind 127.0.0.1`);
}

function toNginx(path: string, text: string): string[] {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((kind) => `${kind}_temp_path ${path}/${kind};`)
    .join("\n");
  const main = join(path, "nginx.conf");
  writeFileSync(
    main,
    `pid ${path}/nginx.pid; error_log stderr crit; daemon off;
events {}
http { access_log off;
${temporary}
${text} }`,
  );
  return ["nginx", "-p", path, "-e", "stderr", "-c", main];
}

function toHaproxy(path: string, text: string): string[] {
  const main = join(path, "haproxy.cfg");
  // Producers stop after a second in the test, so probes have to be faster too.
  writeFileSync(main, text.replace("inter 1s", "inter 100ms"));
  return ["haproxy", "-db", "-q", "-f", main];
}

function toCaddy(path: string, text: string): string[] {
  const main = join(path, "Caddyfile");
  // The file of a service logs what it does; of a test it is noise. Probes are faster, as those of HAProxy are.
  const quiet = text.replace("admin off", "admin off\n\tlog {\n\t\tlevel PANIC\n\t}");
  writeFileSync(main, quiet.replace("health_interval 1s", "health_interval 100ms"));
  return ["caddy", "run", "--config", main, "--adapter", "caddyfile"];
}
