import { readFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate that signs itself, so it is its own CA; for localhost and 127.0.0.1. */
interface Certificate {
  certPath: string;
  keyPath: string;
  /** PEM. */
  cert: string;
  key: string;
}

interface CertificateOptions {
  /** The folder of the two files. */
  folder: string;
  /** The common name, and the name of the files: `a` has a.crt and a.key. */
  name: string;
  /** Until it expires; negative: it has expired. */
  days?: number;
  /** Encrypts the key. */
  passphrase?: string;
}

/** The openssl command, which makes the certificates, is installed. */
export const canCreateCertificates = Bun.which("openssl") !== null;

export function createCertificate(options: CertificateOptions): Certificate {
  const { folder, name, days = 30, passphrase } = options;
  const certPath = join(folder, `${name}.crt`);
  const keyPath = join(folder, `${name}.key`);
  const encryption = passphrase === undefined ? [] : ["-aes256", "-pass", `pass:${passphrase}`];
  openssl([
    "genpkey",
    "-algorithm",
    "EC",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-out",
    keyPath,
    ...encryption,
  ]);
  const subject = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  const key = ["-key", keyPath, ...(passphrase === undefined ? [] : ["-passin", `pass:${passphrase}`])];
  openssl(["req", "-new", "-x509", ...key, "-out", certPath, "-days", String(days), ...subject]);
  return { certPath, keyPath, cert: readFileSync(certPath, "utf8"), key: readFileSync(keyPath, "utf8") };
}

function openssl(args: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(["openssl", ...args]);
  if (exitCode !== 0) throw new Error(`openssl ${args[0]}: ${stderr.toString()}`);
}
