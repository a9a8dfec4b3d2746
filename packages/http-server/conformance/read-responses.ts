// Responses as a client reads them from a connection.

export interface ReadResponse {
  readonly status: number;
  readonly body: string;
}

/**
 * @param firstIsHead the first request has the method HEAD
 * @returns all but interim responses
 * @throws when the bytes are not responses with a length each
 */
export function readResponses(received: string, firstIsHead: boolean): ReadResponse[] {
  const responses: ReadResponse[] = [];
  for (let at = 0; at < received.length; ) {
    const end = received.indexOf("\r\n\r\n", at);
    const head = received.slice(at, end);
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
    if (end < 0 || Number.isNaN(status))
      throw new Error(`no response: ${JSON.stringify(received.slice(at))}`);
    at = end + 4;
    if (status < 200) continue;
    const isHead = firstIsHead && responses.length === 0;
    const length = isHead ? 0 : Number(/\r\nContent-Length: (\d+)/i.exec(head)?.[1] ?? 0);
    responses.push({ status, body: received.slice(at, at + length) });
    at += length;
  }
  return responses;
}
