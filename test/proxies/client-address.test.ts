// An event through each proxy of deploy/proxies: the producer logs the client's address, whatever the client says it is.
import { expect, test } from "bun:test";
import { request } from "node:http";
import { createLog, type Log } from "@ingest/service";
import { serveTestApp } from "../../services/producer/src/testing/serve.ts";
import { type ProxyName, RunningProxy } from "./proxies.ts";

const TIMEOUT_MS = 30_000;
/** The proxies run on 127.0.0.1; all of 127.0.0.0/8 is this machine. */
const PROXY = "127.0.0.1";
const CLIENT = "127.0.0.2";
/** What a client claims about itself. */
const SPOOFED = { "X-Forwarded-For": "198.51.100.1", Forwarded: "for=198.51.100.2" };

interface AccessLine {
  path: string;
  status: number;
  client: string;
}

/** Posts an event from the client's address. @returns the status */
function postEvent(port: number, headers: Record<string, string>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: PROXY,
        port,
        localAddress: CLIENT,
        method: "POST",
        path: "/register_event",
        headers: { "Content-Type": "application/json", ...headers },
      },
      (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode));
      },
    );
    sent.on("error", reject);
    sent.end('{"event_type":"a"}');
  });
}

const asItIs = (text: string) => text;
const toVersion1 = (text: string) => text.replace("send-proxy-v2", "send-proxy");
const cases: [title: string, name: ProxyName, usesProxyProtocol: boolean, edit: (text: string) => string][] =
  [
    ["nginx", "nginx", false, asItIs],
    ["HAProxy", "haproxy", false, asItIs],
    ["HAProxy with the PROXY protocol, version 2", "haproxy-tcp", true, asItIs],
    ["HAProxy with the PROXY protocol, version 1", "haproxy-tcp", true, toVersion1],
    ["Caddy", "caddy", false, asItIs],
  ];

test.each(cases)(
  "behind %s",
  async (_, name, usesProxyProtocol, edit) => {
    const lines: AccessLine[] = [];
    const log: Log = createLog(
      "producer",
      { LOG_LEVEL: "info", LOG_FORMAT: "json" },
      { write: (text: string) => void lines.push(JSON.parse(text)) },
    );
    await using served = serveTestApp({
      log,
      edge: { ACCESS_LOG: "all", TRUSTED_PROXIES: [PROXY], PROXY_PROTOCOL: usesProxyProtocol },
    });
    const { port } = served;
    await using proxy = await RunningProxy.start({
      name,
      producerPorts: [port, port],
      edit,
    });
    expect(await postEvent(proxy.port, {})).toBe(202);
    expect(await postEvent(proxy.port, SPOOFED)).toBe(202);
    expect(served.delivery.events).toHaveLength(2);
    const events = lines.filter(({ path }) => path === "/register_event");
    expect(events).toMatchObject([
      { status: 202, client: CLIENT },
      { status: 202, client: CLIENT },
    ]);
    // The proxy's own probes are taken, too.
    expect(lines.filter(({ status }) => status >= 400)).toEqual([]);
  },
  TIMEOUT_MS,
);
