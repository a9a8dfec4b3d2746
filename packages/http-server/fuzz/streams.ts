// Streams of requests, most of them a little wrong.
import type { Random } from "@ingest/testkit";

const methods = [
  "GET",
  "POST",
  "PUT",
  "HEAD",
  "DELETE",
  "OPTIONS",
  "PATCH",
  "TRACE",
  "CONNECT",
  "QUERY",
  "M-SEARCH",
  "FOO",
  "get",
];
const targets = [
  "/",
  "/a/b?c=d&e",
  "*",
  "http://h/x",
  "http://h:80?q",
  "https://[::1]",
  "//x/y",
  "/%2e/",
  "/\\",
  "h:443",
  "/a#b",
  '/"<>|^`{}',
];
const versions = [
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.1",
  "HTTP/1.0",
  "HTTP/1.2",
  "HTTP/2.0",
  "http/1.1",
  "HTTP/1.1 ",
];
const hosts = ["h", "example.com:80", "", "[::1]:1", "a b", "h:", "u@h", "h/x"];
const fieldLines = [
  "Connection: close",
  "Connection: keep-alive",
  "Connection: Upgrade, keep-alive",
  "Upgrade: websocket",
  "Expect: 100-continue",
  "X-A: 1",
  "X-A:  two\t ",
  "x-a:",
  "X-Obs: \xe9\xff",
  "Cookie: a=b; c",
  "Accept: a, b",
  "TE: trailers",
  "Trailer: X-T",
  "X : 1",
  " folded",
  "nothing",
  "Proxy-Connection: keep-alive",
  "Content-Type: text/plain",
];
const lengths = [
  "{n}",
  "{n}",
  "{n}",
  "+{n}",
  "0{n}",
  "{n}, {n}",
  "0x{n}",
  "{n} ",
  "-1",
  "",
  "{n}1",
  "99999999999999999999",
];
const codings = [
  "chunked",
  "chunked",
  "chunked",
  "Chunked",
  "gzip, chunked",
  "chunked, chunked",
  "identity",
  "chunked;q=1",
  "\x0bchunked",
  "x",
];
const extensions = [
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  ";a",
  ";a=b",
  ";a",
  ";a=b",
  ';a="b\\"; c"',
  " ;a",
  "; a = b ;c",
  ";",
  ";a=",
  " ",
  ';"a"',
  ";a\x01",
  ';a="\n"',
];
const trailers = [
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "X-T: 1\r\n",
  "X-T:\r\nX-U: 2\r\n",
  "Content-Length: 5\r\n",
  "bad\r\n",
  "X : 1\r\n",
];
const bodies = ["", "hello", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "0\r\n\r\n", "\r\n", "\0\xff"];
/** Inserted anywhere. */
const pieces = [
  "\r",
  "\n",
  "\r\n",
  "\r\n\r\n",
  "\n\n",
  "\0",
  " ",
  "\t",
  ":",
  ";",
  ",",
  "\\",
  '"',
  "0",
  "5",
  "a",
  "\x0b",
  "\x0c",
  "\x7f",
  "\x80",
  "\xa0",
  "chunked",
  "Transfer-Encoding: chunked\r\n",
  "Content-Length: 3\r\n",
  "Content-Length: 0\r\n",
  "Host: h\r\n",
  "HTTP/1.1",
  "GET / HTTP/1.1\r\n",
  "0\r\n\r\n",
  "5\r\nhello\r\n",
];

/** Bytes as Latin-1 text: one to four requests, with up to three mutations. */
export function randomStream(random: Random): string {
  let text = "";
  for (let count = 1 + random.below(3); count > 0; count--) {
    if (random.chance(0.05)) text += random.pick(["\r\n", "\r\n\r\n", "\n", "\r", " "]);
    text += randomRequest(random);
  }
  for (let count = random.pick([0, 0, 0, 1, 1, 2, 3]); count > 0; count--) text = mutate(random, text);
  return text;
}

/** The rare choices are mostly not made: a stream with five faults shows only the first. */
function usually(random: Random, usual: string, choices: readonly string[], probability = 0.05): string {
  return random.chance(probability) ? random.pick(choices) : usual;
}

function randomRequest(random: Random): string {
  const hasBody = random.chance(0.7);
  const method = usually(random, hasBody ? "POST" : "GET", methods);
  const target = usually(random, "/e", targets);
  const version = usually(random, "HTTP/1.1", versions);
  const fields = [`Host: ${usually(random, "h", hosts)}`];
  if (random.chance(0.03)) fields.pop();
  while (random.chance(0.2)) fields.push(random.pick(fieldLines));
  let body = "";
  if (hasBody) {
    const content = random.pick(bodies);
    if (random.chance(0.5)) {
      fields.push(
        `Content-Length: ${usually(random, "{n}", lengths).replaceAll("{n}", String(content.length))}`,
      );
      body = content;
    } else {
      fields.push(`Transfer-Encoding: ${usually(random, "chunked", codings)}`);
      body = randomChunks(random, content);
    }
    if (random.chance(0.03)) fields.push(random.pick(["Content-Length: 5", "Transfer-Encoding: chunked"]));
  }
  return `${method} ${target} ${version}\r\n${shuffle(random, fields).join("\r\n")}\r\n\r\n${body}`;
}

function randomChunks(random: Random, content: string): string {
  let text = "";
  for (let at = 0; at < content.length; ) {
    const chunk = content.slice(at, at + 1 + random.below(content.length));
    const size = chunk.length.toString(16);
    text += `${usually(random, size, [size.toUpperCase(), `0${size}`, `0x${size}`, `+${size}`, " "], 0.08)}${random.pick(extensions)}\r\n${chunk}\r\n`;
    at += chunk.length;
  }
  return `${text}${usually(random, "0", ["00", "0;a", "0 ", "-0"], 0.08)}\r\n${random.pick(trailers)}\r\n`;
}

function shuffle(random: Random, lines: readonly string[]): string[] {
  return lines
    .map((line) => ({ line, order: random.next() }))
    .sort((a, b) => a.order - b.order)
    .map(({ line }) => line);
}

function mutate(random: Random, text: string): string {
  const at = random.below(text.length + 1);
  const length = 1 + random.below(4);
  switch (random.below(5)) {
    case 0:
      return text.slice(0, at) + random.pick(pieces) + text.slice(at);
    case 1:
      return text.slice(0, at) + text.slice(at + length);
    case 2:
      return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1);
    case 3:
      return text.slice(0, at) + text.slice(at, at + length) + text.slice(at);
    default:
      return text.slice(0, at) + random.pick(pieces) + text.slice(at + length);
  }
}

/** The stream as it may arrive: whole, in single bytes, or cut anywhere. */
export function cut(random: Random, bytes: Buffer): Buffer[] {
  const isBytewise = random.chance(0.1);
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = isBytewise ? 1 : 1 + random.below(random.pick([2, 20, bytes.length]));
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}
