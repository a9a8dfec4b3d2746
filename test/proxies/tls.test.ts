// TLS and HTTP/2 in front, by the lines for it in the files of deploy/proxies.
import { afterAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:http2";
import { join } from "node:path";
import { temporaryFolder } from "@ingest/testkit";
import { serveTestApp } from "../../services/producer/src/testing/serve.ts";
import { type ProxyName, RunningProxy } from "./proxies.ts";

const TIMEOUT_MS = 30_000;
const files = temporaryFolder("certificate");
afterAll(() => files[Symbol.dispose]());
const certificate = join(files.path, "events.crt");
const key = join(files.path, "events.key");
const both = join(files.path, "events.pem");
Bun.spawnSync(
  `openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout ${key} -out ${certificate}`.split(
    " ",
  ),
);
writeFileSync(both, readFileSync(certificate, "utf8") + readFileSync(key, "utf8"));

/** Replaces the line that listens by those for TLS, which are comments in the file. */
function uncommentTls(text: string): string {
  const [line = "", address = ""] = / *(?:listen|bind) (127\.0\.0\.1:\d+);?\n/.exec(text) ?? [];
  return text
    .replace(line, "")
    .replaceAll(/# (?=(?:listen|bind|ssl_certificate|ssl_certificate_key) [:/8])/g, "")
    .replace(/(listen |bind ):?8443/, `$1${address}`)
    .replace("/etc/nginx/events.crt", certificate)
    .replace("/etc/nginx/events.key", key)
    .replace("/etc/haproxy/events.pem", both);
}

/** Caddy would ask a certificate authority for the certificate of the name. */
function nameHost(text: string): string {
  return text.replace(/http:\/\/:(\d+) \{/, `https://localhost:$1 {\n\ttls ${certificate} ${key}`);
}

/** Posts an event over HTTP/2. @returns the protocol that was negotiated, and the status */
function postEvent(port: number): Promise<{ protocol: string | undefined; status: number | undefined }> {
  return new Promise((resolve, reject) => {
    const session = connect(`https://localhost:${port}`, { ca: readFileSync(certificate) });
    session.on("error", reject);
    const stream = session.request({
      ":method": "POST",
      ":path": "/register_event",
      "content-type": "application/json",
    });
    stream.on("error", reject);
    stream.on("response", (headers) => {
      resolve({ protocol: session.alpnProtocol, status: headers[":status"] });
      session.destroy();
    });
    stream.end('{"event_type":"a"}');
  });
}

const cases: [title: string, name: ProxyName, edit: (text: string) => string][] = [
  ["nginx", "nginx", uncommentTls],
  ["HAProxy", "haproxy", uncommentTls],
  ["Caddy", "caddy", nameHost],
];

test.each(cases)(
  "an event over HTTP/2 through %s",
  async (_, name, edit) => {
    await using served = serveTestApp();
    const { port } = served;
    await using proxy = await RunningProxy.start({ name, producerPorts: [port, port], edit });
    expect(await postEvent(proxy.port)).toEqual({ protocol: "h2", status: 202 });
    expect(served.delivery.events).toHaveLength(1);
  },
  TIMEOUT_MS,
);
