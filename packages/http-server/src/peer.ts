// The other end of a connection.

/** The other end of a connection: the client, or the proxy in front of it. */
export interface Peer {
  /** Its IP address; the client's where the PROXY protocol reports one. */
  readonly remoteAddress: string;
}

/** Of a request that came over no connection. */
export const UNKNOWN_PEER: Peer = { remoteAddress: "" };
