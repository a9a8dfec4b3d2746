// The certificate and its key, read from the disk and checked.
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { TlsOptions } from "@ingest/http-server";
import { type SettingProblem, SettingsError } from "@ingest/service";
import type { TlsSettings } from "./settings.ts";

/** A certificate that can be used. */
export interface Certificate {
  tls: TlsOptions;
  subject: string;
  /** Unix ms. */
  expiresMs: number;
}

/** What is wrong with a certificate or its key, by setting. */
export class CertificateProblems {
  constructor(readonly problems: readonly SettingProblem[]) {}
}

/**
 * @returns undefined when TLS_CERT is not set
 * @throws SettingsError naming every problem of the files
 */
export function readCertificate(settings: TlsSettings, nowMs = Date.now()): Certificate | undefined {
  if (settings.TLS_CERT === undefined) return undefined;
  const files = readFiles(settings);
  const certificate =
    files instanceof CertificateProblems
      ? files
      : checkCertificate(files, settings.TLS_KEY_PASSPHRASE, nowMs);
  if (certificate instanceof CertificateProblems) throw new SettingsError(certificate.problems);
  return certificate;
}

/** PEM texts. */
export interface CertificateFiles {
  cert: string;
  key: string;
  clientCa: string | undefined;
}

export function readFiles(settings: TlsSettings): CertificateFiles | CertificateProblems {
  const problems: SettingProblem[] = [];
  const read = (name: "TLS_CERT" | "TLS_KEY" | "TLS_CLIENT_CA"): string => {
    const path = settings[name]!;
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // It may be the text of a key.
      if (path.includes("-----BEGIN"))
        problems.push({ name, value: undefined, message: "must be the path of a PEM file, not its text" });
      else problems.push({ name, value: path, message: `must be the path of a readable file (${code})` });
      return "";
    }
  };
  const files = {
    cert: read("TLS_CERT"),
    key: read("TLS_KEY"),
    clientCa: settings.TLS_CLIENT_CA === undefined ? undefined : read("TLS_CLIENT_CA"),
  };
  return problems.length > 0 ? new CertificateProblems(problems) : files;
}

export function checkCertificate(
  { cert, key, clientCa }: CertificateFiles,
  passphrase: string | undefined,
  nowMs: number,
): Certificate | CertificateProblems {
  const problems: SettingProblem[] = [];
  const add = (name: keyof TlsSettings, message: string) =>
    problems.push({ name, value: undefined, message });
  const certificate = parse(cert);
  const privateKey = parseKey(key, passphrase);
  if (certificate === undefined) add("TLS_CERT", "must be a file with a certificate in PEM format");
  else {
    const { validFromDate, validToDate } = certificate;
    if (nowMs >= validToDate.getTime()) add("TLS_CERT", `expired on ${validToDate.toISOString()}`);
    if (nowMs < validFromDate.getTime())
      add("TLS_CERT", `is not valid before ${validFromDate.toISOString()}`);
  }
  if (Array.isArray(privateKey)) add(...privateKey);
  else if (certificate !== undefined && !certificate.checkPrivateKey(privateKey))
    add("TLS_KEY", "is not the key of the certificate in TLS_CERT");
  if (clientCa !== undefined && parse(clientCa) === undefined)
    add("TLS_CLIENT_CA", "must be a file with certificates in PEM format");
  if (problems.length > 0) return new CertificateProblems(problems);
  const tls: TlsOptions = {
    cert,
    key,
    ...(passphrase !== undefined && { passphrase }),
    ...(clientCa !== undefined && { clientCa }),
  };
  try {
    // Of a chain, only the first certificate has been looked at.
    createSecureContext({ ...tls, ...(clientCa !== undefined && { ca: clientCa }) });
  } catch (error) {
    add("TLS_CERT", `can't be used: ${(error as Error).message}`);
    return new CertificateProblems(problems);
  }
  return { tls, subject: certificate!.subject, expiresMs: certificate!.validToDate.getTime() };
}

function parse(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/** @returns the key, or which setting is wrong, and why */
function parseKey(
  pem: string,
  passphrase: string | undefined,
): KeyObject | [name: keyof TlsSettings, message: string] {
  try {
    return createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase }) });
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "ERR_MISSING_PASSPHRASE") return ["TLS_KEY", "is encrypted: set TLS_KEY_PASSPHRASE"];
    if (code === "ERR_OSSL_BAD_DECRYPT") return ["TLS_KEY_PASSPHRASE", "is not the passphrase of TLS_KEY"];
    return ["TLS_KEY", "must be a file with a private key in PEM format"];
  }
}
