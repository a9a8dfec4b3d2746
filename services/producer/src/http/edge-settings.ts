// What stands between the callers and this service: proxies, browsers; and how their requests are named and logged.
import type { SettingProblem } from "@ingest/service";
import { type Static, type TObject, Type } from "@sinclair/typebox";
import { isOriginPattern } from "../callers/origins.ts";
import { isTrustedProxiesEntry } from "./client-address.ts";

export const edgeSettings = {
  TRUSTED_PROXIES: Type.Array(Type.String(), {
    default: [],
    description:
      "Proxies whose `X-Forwarded-For`, or else `Forwarded`, names the client: addresses, networks (`10.0.0.0/8`, `fd00::/8`), `loopback`, `private`; separated by commas. The rightmost address that is not trusted is the client's.",
  }),
  PROXY_PROTOCOL: Type.Boolean({
    default: false,
    description:
      "Connections from `TRUSTED_PROXIES` must begin with a header of the PROXY protocol, version 1 or 2, which names the client.",
  }),
  CORS_ALLOWED_ORIGINS: Type.Array(Type.String(), {
    default: [],
    description:
      "Origins whose pages may send events and read the responses: `https://example.com`, `https://*.example.com` or `*.example.com` for its subdomains, or `*` for all; separated by commas. Their `text/plain` bodies hold JSON (`navigator.sendBeacon`).",
  }),
  REQUEST_ID: Type.Boolean({
    default: false,
    description:
      "Makes an `X-Request-Id` for each request that has none. Otherwise only problems get one. A valid one that the caller sends (1 to 128 characters of visible ASCII) is always sent back.",
  }),
  ACCESS_LOG: Type.Union(
    (["off", "errors", "sample", "all"] as const).map((mode) => Type.Literal(mode)),
    {
      default: "off",
      description:
        "Which requests are logged, one line each: `errors` those with a status of 400 or above, `sample` also `ACCESS_LOG_SAMPLE` of the others.",
    },
  ),
  ACCESS_LOG_SAMPLE: Type.Number({
    default: 0.01,
    minimum: 0,
    maximum: 1,
    description: "The share of successful requests that `ACCESS_LOG=sample` logs.",
  }),
};
export type EdgeSettings = Readonly<Static<TObject<typeof edgeSettings>>>;

/** Entries that mean nothing, and a protocol that nobody may speak. */
export function checkEdgeSettings(settings: EdgeSettings): SettingProblem[] {
  const problems: SettingProblem[] = [];
  for (const value of settings.TRUSTED_PROXIES.filter((entry) => !isTrustedProxiesEntry(entry)))
    problems.push({
      name: "TRUSTED_PROXIES",
      value,
      message: "must be IP addresses, networks such as 10.0.0.0/8, loopback or private, separated by commas",
    });
  for (const value of settings.CORS_ALLOWED_ORIGINS.filter((pattern) => !isOriginPattern(pattern)))
    problems.push({
      name: "CORS_ALLOWED_ORIGINS",
      value,
      message:
        "must be origins as browsers send them (https://example.com, without path or default port, in lower case), https://*.example.com for subdomains, or *",
    });
  if (settings.PROXY_PROTOCOL && settings.TRUSTED_PROXIES.length === 0)
    problems.push({
      name: "PROXY_PROTOCOL",
      value: "true",
      message: "requires TRUSTED_PROXIES: the proxies that send the header",
    });
  return problems;
}
