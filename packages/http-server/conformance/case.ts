// One case of the suite: bytes that a client sends, and what has to come of them.

export interface Case {
  readonly name: string;
  /** Latin-1. Several pieces are sent in packets of their own. */
  readonly bytes: string | readonly string[];
  /** Of the responses, in order; interim ones are left out. */
  readonly statuses: readonly number[];
  /** The connection ends. Otherwise another request can follow. */
  readonly ends: boolean;
  /** Of the responses. Not compared when left out. */
  readonly bodies?: readonly string[];
  /** The public suite with this case, or the rule that it tests. */
  readonly source: string;
}

type Bytes = Case["bytes"];

/** A case whose requests are all accepted, and whose connection stays. */
export function accepted(source: string, name: string, bytes: Bytes, ...bodies: string[]): Case {
  return { name, bytes, statuses: bodies.map(() => 200), ends: false, bodies, source };
}

/** A case whose requests are all accepted, and whose connection ends after them. */
export function acceptedLast(source: string, name: string, bytes: Bytes, ...bodies: string[]): Case {
  return { ...accepted(source, name, bytes, ...bodies), ends: true };
}

/** A case whose first request is rejected, and whose connection ends. */
export function rejected(source: string, name: string, bytes: Bytes, status = 400): Case {
  return { name, bytes, statuses: [status], ends: true, source };
}

/** A head: its lines, and the empty line that ends it. */
export function head(...lines: string[]): string {
  return `${lines.join("\r\n")}\r\n\r\n`;
}

export function get(...fields: string[]): string {
  return head("GET / HTTP/1.1", "Host: a", ...fields);
}

/** The head of a request whose response has its body. */
export function post(...fields: string[]): string {
  return head("POST /echo HTTP/1.1", "Host: a", ...fields);
}

/** A request whose body is these bytes in the chunked coding. */
export function chunked(coded: string, ...fields: string[]): string {
  return post("Transfer-Encoding: chunked", ...fields) + coded;
}
