// TLS of a server: Bun's sockets do the handshake, and this is what they are given.

/** PEM texts. */
export interface TlsOptions {
  /** The server's certificate, then those of the authorities between it and a root. */
  readonly cert: string;
  readonly key: string;
  /** Of an encrypted key. */
  readonly passphrase?: string;
  /** When given, each client must have a certificate of one of these authorities. */
  readonly clientCa?: string;
}

/** The protocol names of ALPN, each after its length (RFC 7301, section 3.1). A client that speaks only others is refused. */
const HTTP_1_1 = Buffer.from("\x08http/1.1");

/** As Bun takes them; its lowest version is TLS 1.2. */
export function toBunTls({ cert, key, passphrase, clientCa }: TlsOptions) {
  return {
    cert,
    key,
    ALPNProtocols: HTTP_1_1,
    ...(passphrase !== undefined && { passphrase }),
    ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
  };
}
