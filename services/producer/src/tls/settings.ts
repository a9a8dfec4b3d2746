// Settings about HTTPS.
import type { SettingProblem } from "@ingest/service";
import { type Static, type TObject, Type } from "@sinclair/typebox";

export const tlsSettings = {
  TLS_CERT: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        "PEM file of the certificate, then those of its authorities. With it, `PORT` speaks HTTPS only, TLS 1.2 or later. Read again when it changes; docs/tls.md.",
    }),
  ),
  TLS_KEY: Type.Optional(
    Type.String({ minLength: 1, description: "PEM file of the private key of `TLS_CERT`." }),
  ),
  TLS_KEY_PASSPHRASE: Type.Optional(Type.String({ description: "Passphrase of `TLS_KEY`." })),
  TLS_CLIENT_CA: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        "PEM file of authorities. With it, clients must have a certificate of one of them. Requires `ADMIN_PORT`, which stays plain: probes have none.",
    }),
  ),
};
export type TlsSettings = Readonly<Static<TObject<typeof tlsSettings>>>;

/** Settings that need each other, or can't be used together. What is in the files is checked when they are read. */
export function checkTlsSettings(
  settings: TlsSettings & { readonly PROXY_PROTOCOL: boolean; readonly ADMIN_PORT?: number },
): SettingProblem[] {
  const { TLS_CERT: cert, TLS_KEY: key, TLS_KEY_PASSPHRASE: passphrase, TLS_CLIENT_CA: ca } = settings;
  const problems: SettingProblem[] = [];
  // Somebody may have given the text of the key instead of its path, so no value is shown.
  const add = (name: keyof TlsSettings, message: string) =>
    problems.push({ name, value: undefined, message });
  if (cert !== undefined && key === undefined) add("TLS_KEY", "is required with TLS_CERT");
  if (cert === undefined) {
    if (key !== undefined) add("TLS_CERT", "is required with TLS_KEY");
    if (ca !== undefined) add("TLS_CLIENT_CA", "has no effect without TLS_CERT and TLS_KEY");
  }
  if (passphrase !== undefined && key === undefined)
    add("TLS_KEY_PASSPHRASE", "has no effect without TLS_KEY");
  if (cert !== undefined && settings.PROXY_PROTOCOL)
    add(
      "TLS_CERT",
      "can't be used with PROXY_PROTOCOL: let the proxy end TLS, or forward without its header",
    );
  if (ca !== undefined && settings.ADMIN_PORT === undefined)
    add("TLS_CLIENT_CA", "requires ADMIN_PORT: health checks and Prometheus have no client certificate");
  return problems;
}
