// Streams that were once read differently: by llhttp, or when they were cut.

const GET = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const CHUNKED = "POST /e HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

export const corpus: readonly { name: string; bytes: string }[] = [
  { name: "two empty lines before a request", bytes: `\r\n\r\n${GET}` },
  { name: "an empty line between requests", bytes: `${GET}\r\n${GET}` },
  { name: "a length in the trailer", bytes: `${CHUNKED}0\r\nContent-Length: 5\r\n\r\n${GET}` },
  { name: "a trailer that is no field", bytes: `${CHUNKED}0\r\nbad\r\n\r\n${GET}` },
  { name: "a space instead of an extension", bytes: `${CHUNKED}5 \r\nhello\r\n0\r\n\r\n` },
  {
    name: "a chunk that is too large, and then an invalid one",
    bytes: `${CHUNKED}10001\r\n${"x".repeat(65_537)}\r\nz\r\n`,
  },
  { name: "a bare LF after the request line", bytes: "GET / HTTP/1.1\nHost: h\n\n" },
  { name: "a faulty field after a later version", bytes: "GET / HTTP/2.0\r\nHost: h\0\r\n\r\n" },
  { name: "a CR alone after a later version", bytes: "GET / HTTP/2.0\rX\r\n\r\n" },
  { name: "CONNECT with a faulty field", bytes: "CONNECT h:443 HTTP/1.1\r\nHost\r\n\r\n" },
  {
    name: "a tab after a length",
    bytes: `POST /e HTTP/1.1\r\nHost: h\r\nContent-Length: 5\t\r\n\r\nhello${GET}`,
  },
  {
    name: "a tab after a coding",
    bytes: `POST /e HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\t\r\n\r\n0\r\n\r\n${GET}`,
  },
  {
    name: "a request after an upgrade",
    bytes: `GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n${GET}`,
  },
  {
    name: "an absolute target without a Host, in HTTP/1.0",
    bytes: `POST http://h/x HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello`,
  },
  { name: "a request after OPTIONS for the server", bytes: `OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n${GET}` },
  { name: "a Host that is none", bytes: "GET / HTTP/1.1\r\nHost: a b\r\n\r\n" },
];
