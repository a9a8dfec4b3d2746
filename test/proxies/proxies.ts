// The proxies of deploy/proxies, each with its file from there, on ports of the test.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "@ingest/broker";
import { RawSocket, temporaryFolder, until } from "@ingest/testkit";
import type { Subprocess } from "bun";

const folder = join(import.meta.dir, "../../deploy/proxies");

export const proxies = ["nginx", "haproxy"] as const;
export type ProxyName = (typeof proxies)[number];

/** A proxy in the foreground, in front of the two producers. Killed when disposed of. */
export class RunningProxy implements AsyncDisposable {
  readonly #files = temporaryFolder("proxy");
  readonly #child: Subprocess;

  private constructor(
    name: ProxyName,
    readonly port: number,
    producerPorts: readonly [number, number],
  ) {
    const path = this.#files.path;
    const command =
      name === "nginx" ? toNginx(path, port, producerPorts) : toHaproxy(path, port, producerPorts);
    this.#child = Bun.spawn(command, { stdio: ["ignore", "ignore", "inherit"] });
  }

  static async start(name: ProxyName, producerPorts: readonly [number, number]): Promise<RunningProxy> {
    const proxy = new RunningProxy(name, await freePort(), producerPorts);
    await until(`${name} to listen`, async () => {
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
    .replace("bind :8080", `bind 127.0.0.1:${port}`);
}

function toNginx(path: string, port: number, producerPorts: readonly [number, number]): string[] {
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
${configure("nginx.conf", port, producerPorts)} }`,
  );
  return ["nginx", "-p", path, "-e", "stderr", "-c", main];
}

function toHaproxy(path: string, port: number, producerPorts: readonly [number, number]): string[] {
  const main = join(path, "haproxy.cfg");
  // Producers stop after a second in the test, so probes have to be faster too.
  const text = configure("haproxy.cfg", port, producerPorts).replace("inter 1s", "inter 100ms");
  writeFileSync(main, text);
  return ["haproxy", "-db", "-q", "-f", main];
}
