// Metrics about HTTPS.
import { counterOf, countersOf, gauge, type Registry } from "@ingest/service";
import type { CertificateReloader } from "./reloader.ts";

export function tlsMetrics(
  registry: Registry,
  certificate: Pick<CertificateReloader, "counts" | "expiresMs">,
  failedHandshakes: () => number,
): void {
  gauge(
    registry,
    "tls_certificate_expiry_timestamp_seconds",
    "Unix time at which the certificate in use expires; of several workers, the earliest",
    () => certificate.expiresMs / 1_000,
    "min",
  );
  countersOf(
    registry,
    "tls_certificate_reloads_total",
    "Reloads of the certificate by result: after a failure, the previous one stays",
    "result",
    () => certificate.counts,
  );
  counterOf(
    registry,
    "tls_handshakes_failed_total",
    "TLS handshakes that failed or took longer than HEAD_TIMEOUT_MS",
    failedHandshakes,
  );
}
