// Reads the certificate again when its files change or on request: a pair without problems replaces the one in use.
import type { TlsOptions } from "@ingest/http-server";
import type { Log } from "@ingest/service";
import {
  type Certificate,
  type CertificateFiles,
  CertificateProblems,
  checkCertificate,
  readFiles,
} from "./certificate.ts";
import type { TlsSettings } from "./settings.ts";

export interface CertificateReloaderOptions {
  /** With TLS_CERT and TLS_KEY. */
  settings: TlsSettings;
  /** In use since the start. */
  certificate: Certificate;
  /** @returns false when the server can't change its certificate */
  replace(tls: TlsOptions): boolean;
  log: Log;
}

/** How often the files are read, ms: small ones, and their contents say most reliably whether they have changed. */
const POLL_MS = 1_000;

export class CertificateReloader {
  readonly #options: CertificateReloaderOptions;
  #timer: Timer | undefined;
  /** The files as they were last tried, and as the last poll found them. */
  #tried: string;
  #found: string;
  /** When the certificate in use expires, Unix ms. */
  expiresMs: number;
  /** Reloads by result. */
  readonly counts = { success: 0, failure: 0 };

  constructor(options: CertificateReloaderOptions) {
    this.#options = options;
    const { tls, expiresMs } = options.certificate;
    this.#tried = textOf({ ...tls, clientCa: tls.clientCa });
    this.#found = this.#tried;
    this.expiresMs = expiresMs;
  }

  start(): void {
    this.#timer = setInterval(() => this.#poll(), POLL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Keeps the certificate in use when a file can't be read, or has any problem. */
  reload(): void {
    this.#try(readFiles(this.#options.settings));
  }

  #poll(): void {
    const files = readFiles(this.#options.settings);
    const text = textOf(files);
    // The second file of a pair may still be on its way, so a change is tried once it has settled.
    const hasSettled = text === this.#found;
    this.#found = text;
    if (hasSettled && text !== this.#tried) this.#try(files);
  }

  #try(files: CertificateFiles | CertificateProblems): void {
    const { settings, replace, log } = this.#options;
    this.#tried = textOf(files);
    const certificate =
      files instanceof CertificateProblems
        ? files
        : checkCertificate(files, settings.TLS_KEY_PASSPHRASE, Date.now());
    if (certificate instanceof CertificateProblems) {
      this.counts.failure++;
      log.error({ problems: certificate.problems }, "certificate is invalid: keeping the previous one");
      return;
    }
    const { tls, subject, expiresMs } = certificate;
    if (!replace(tls)) {
      this.counts.failure++;
      log.error({}, "certificate changed: HTTP_SERVER=bun uses it after a restart");
      return;
    }
    this.counts.success++;
    this.expiresMs = expiresMs;
    log.info({ subject, expires: new Date(expiresMs).toISOString() }, "certificate reloaded");
  }
}

function textOf(files: CertificateFiles | CertificateProblems): string {
  return files instanceof CertificateProblems
    ? JSON.stringify(files.problems)
    : JSON.stringify([files.cert, files.key, files.clientCa]);
}
