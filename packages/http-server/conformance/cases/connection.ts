// What follows a request on its connection: packets, pipelines, and the end (RFC 9112, sections 2.2 and 9).
import { accepted, acceptedLast, type Case, chunked, get, head, post, rejected } from "../case.ts";

const llhttp = "llhttp, request/connection, pipelining, sample";
const h1spec = "h1spec";
const rfc = "RFC 9112, section 9";
const expectation = "RFC 9110, section 10.1.1";
const request = get();

/** h1spec sends the beginning and waits; here the rest follows. */
const cutAfter = (beginning: string) =>
  accepted(
    h1spec,
    `a request that is cut after ${JSON.stringify(beginning.slice(-12))}`,
    [beginning, request.slice(beginning.length)],
    "GET /",
  );

export const connectionCases: readonly Case[] = [
  ...[
    "G",
    "GET ",
    "GET /",
    "GET / HTTP",
    "GET / HTTP/1.1",
    "GET / HTTP/1.1\r",
    "GET / HTTP/1.1\r\n",
    "GET / HTTP/1.1\r\nHos",
    "GET / HTTP/1.1\r\nHost:",
    "GET / HTTP/1.1\r\nHost: ",
    "GET / HTTP/1.1\r\nHost: a",
    "GET / HTTP/1.1\r\nHost: a\r",
    "GET / HTTP/1.1\r\nHost: a\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n\r",
  ].map(cutAfter),
  accepted(rfc, "a body that is cut from its head", [post("Content-Length: 5"), "hello"], "hello"),
  accepted(rfc, "a body that is cut", [`${post("Content-Length: 5")}he`, "llo"], "hello"),
  accepted(rfc, "an empty line that is cut", ["\r", "\n", request], "GET /"),
  accepted(rfc, "two empty lines that are cut", ["\r\n\r", "\n", request], "GET /"),

  accepted(
    llhttp,
    "requests in a row",
    `${post("Content-Length: 3")}AAA${post("Content-Length: 4")}BBBB${post("Content-Length: 5")}CCCCC`,
    "AAA",
    "BBBB",
    "CCCCC",
  ),
  accepted(
    llhttp,
    "an empty line between requests",
    `${post("Content-Length: 4")}q=42\r\n${request}`,
    "q=42",
    "GET /",
  ),
  accepted(rfc, "a request after chunks", `${chunked("3\r\nabc\r\n0\r\n\r\n")}${request}`, "abc", "GET /"),
  accepted(rfc, "a request after a trailer", `${chunked("0\r\nX: 1\r\n\r\n")}${request}`, "", "GET /"),
  accepted(rfc, "a request after a request without a body", `${post()}${request}`, "", "GET /"),
  accepted(
    rfc,
    "thirty requests in one packet",
    request.repeat(30),
    ...Array.from({ length: 30 }, () => "GET /"),
  ),
  accepted(rfc, "HEAD before GET", head("HEAD / HTTP/1.1", "Host: a") + request, "", "GET /"),
  { name: "garbage after a request", bytes: `${request}\0`, statuses: [200, 400], ends: true, source: rfc },
  {
    name: "one byte too many after a body",
    bytes: `${post("Content-Length: 1")}ab${request}`,
    statuses: [200, 200],
    ends: false,
    bodies: ["a", "bGET /"],
    source: rfc,
  },
  {
    name: "a byte that is no method after a body",
    bytes: `${post("Content-Length: 1")}a:${request}`,
    statuses: [200, 400],
    ends: true,
    source: rfc,
  },
  {
    name: "an LF after a body",
    bytes: `${post("Content-Length: 1")}a\n${request}`,
    statuses: [200, 400],
    ends: true,
    source: rfc,
  },

  accepted(llhttp, "Connection: keep-alive", get("Connection: keep-alive") + request, "GET /", "GET /"),
  accepted(rfc, "an unknown connection option", get("Connection: x-close") + request, "GET /", "GET /"),
  acceptedLast(llhttp, "Connection: close", get("Connection: close") + request, "GET /"),
  acceptedLast(llhttp, "Connection: close and a tab", get("Connection: close\t") + request, "GET /"),
  acceptedLast(
    llhttp,
    "Connection: close and a body",
    `${post("Content-Length: 4", "Connection: close")}q=42\r\n${request}`,
    "q=42",
  ),
  acceptedLast(
    llhttp,
    "close among other options",
    get("Connection: close, token, upgrade, token, keep-alive"),
    "GET /",
  ),
  acceptedLast(rfc, "close after other options", get("Connection: token, ,Close"), "GET /"),
  acceptedLast(
    rfc,
    "close in a field of its own",
    get("Connection: keep-alive", "Connection: close"),
    "GET /",
  ),
  acceptedLast(
    rfc,
    "Connection: close after a request",
    request + get("Connection: close"),
    "GET /",
    "GET /",
  ),
  acceptedLast(llhttp, "HTTP/1.0", head("GET / HTTP/1.0") + request, "GET /"),
  acceptedLast(
    llhttp,
    "HTTP/1.0 as ApacheBench sends it",
    head("GET / HTTP/1.0", "Host: 0.0.0.0:5000", "User-Agent: ApacheBench/2.3", "Accept: */*"),
    "GET /",
  ),
  accepted(
    rfc,
    "HTTP/1.0 that is kept",
    head("GET / HTTP/1.0", "Connection: Keep-Alive") + request,
    "GET /",
    "GET /",
  ),
  acceptedLast(
    rfc,
    "HTTP/1.0 that is kept and closed",
    head("GET / HTTP/1.0", "Connection: keep-alive, close"),
    "GET /",
  ),
  accepted(
    llhttp,
    "an upgrade is ignored",
    get("Connection: Upgrade", "Upgrade: websocket") + request,
    "GET /",
    "GET /",
  ),
  accepted(
    llhttp,
    "an upgrade with a body is ignored",
    `${post("Connection: Upgrade", "Upgrade: HTTP/2.0", "Content-Length: 4")}abcd${request}`,
    "abcd",
    "GET /",
  ),

  accepted(h1spec, "Expect without a body", get("Expect: 100-continue"), "GET /"),
  accepted(
    expectation,
    "Expect with the body at once",
    `${post("Expect: 100-continue", "Content-Length: 5")}hello`,
    "hello",
  ),
  accepted(
    expectation,
    "Expect with the body later",
    [post("Expect: 100-Continue", "Content-Length: 5"), "hello"],
    "hello",
  ),
  rejected(expectation, "another expectation", get("Expect: miracles"), 417),
  {
    name: "a body that is too large to be read",
    bytes: post("Content-Length: 99999999999"),
    statuses: [413],
    ends: true,
    source: "RFC 9110, section 15.5.14",
  },
];
