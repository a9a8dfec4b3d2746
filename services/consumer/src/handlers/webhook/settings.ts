// Settings of the webhook handler.
import { readFileSync } from "node:fs";
import type { SettingProblem } from "@ingest/service";
import { type Static, type TObject, Type } from "@sinclair/typebox";
import type { WebhookOptions } from "./webhook.ts";

export const webhookSettings = {
  WEBHOOK_URL: Type.Optional(
    Type.String({
      pattern: "^https?://",
      examples: ["https://example.com/events"],
      description:
        "URL to which CONSUMER_HANDLER=webhook posts events. A user name and password in it are sent as basic authentication. Messages show it without them, and without the values of its query.",
    }),
  ),
  WEBHOOK_TIMEOUT_MS: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 600_000,
    description: "Time limit for a request; then it counts as failed.",
  }),
  WEBHOOK_TLS_CA_LOCATION: Type.Optional(
    Type.String({
      description: "PEM file of the CA certificates that the webhook's server is checked against.",
    }),
  ),
  WEBHOOK_TLS_CERTIFICATE_LOCATION: Type.Optional(
    Type.String({ description: "PEM file of the client certificate for the webhook's server." }),
  ),
  WEBHOOK_TLS_KEY_LOCATION: Type.Optional(
    Type.String({ description: "PEM file of the client certificate's key." }),
  ),
};

type WebhookSettings = Readonly<Static<TObject<typeof webhookSettings>>>;

const FILES = [
  "WEBHOOK_TLS_CA_LOCATION",
  "WEBHOOK_TLS_CERTIFICATE_LOCATION",
  "WEBHOOK_TLS_KEY_LOCATION",
] as const;

/** What is wrong with the settings when the webhook is the handler. */
export function webhookProblems(settings: WebhookSettings): SettingProblem[] {
  const problems: SettingProblem[] = [];
  const add = (name: keyof WebhookSettings, message: string) =>
    problems.push({
      name,
      value: settings[name] === undefined ? undefined : String(settings[name]),
      message,
    });
  const url = settings.WEBHOOK_URL;
  if (url === undefined) add("WEBHOOK_URL", "is required with CONSUMER_HANDLER=webhook");
  else if (!URL.canParse(url)) add("WEBHOOK_URL", "must be a URL");
  const { WEBHOOK_TLS_CERTIFICATE_LOCATION: certificate, WEBHOOK_TLS_KEY_LOCATION: key } = settings;
  if (certificate !== undefined && key === undefined)
    add("WEBHOOK_TLS_KEY_LOCATION", "is required with WEBHOOK_TLS_CERTIFICATE_LOCATION");
  if (key !== undefined && certificate === undefined)
    add("WEBHOOK_TLS_CERTIFICATE_LOCATION", "is required with WEBHOOK_TLS_KEY_LOCATION");
  for (const name of FILES) {
    if (settings[name] === undefined) continue;
    if (url?.startsWith("http:")) add(name, "has no effect with an http: WEBHOOK_URL");
    else if (!isReadable(settings[name])) add(name, "can't be read");
  }
  return problems;
}

/** @param settings without `webhookProblems` */
export function toWebhookOptions(settings: WebhookSettings): WebhookOptions {
  const read = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path, "utf8"));
  const tls = {
    ca: read(settings.WEBHOOK_TLS_CA_LOCATION),
    cert: read(settings.WEBHOOK_TLS_CERTIFICATE_LOCATION),
    key: read(settings.WEBHOOK_TLS_KEY_LOCATION),
  };
  return {
    url: settings.WEBHOOK_URL!,
    timeoutMs: settings.WEBHOOK_TIMEOUT_MS,
    tls: Object.fromEntries(Object.entries(tls).filter(([, pem]) => pem !== undefined)),
  };
}

function isReadable(path: string): boolean {
  try {
    readFileSync(path);
    return true;
  } catch {
    return false;
  }
}
