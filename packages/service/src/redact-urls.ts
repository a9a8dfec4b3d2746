// URLs as they may be shown: the one rule for error messages, log lines and dead letters.
import { REDACTED } from "./secret-settings.ts";

/** Scheme, user information, host and path, query, fragment. */
const URL_PATTERN =
  /\b([a-z][a-z0-9+.-]*:\/\/)(?:[^\s"'<>/?#]*@)?([^\s"'<>?#]*)(\?[^\s"'<>#]*)?(#[^\s"'<>]*)?/gi;
const QUERY_VALUE = /=[^&;]*/g;

/**
 * Replaces what may be secret in each URL of a text: user names and passwords, the values of the query, the fragment.
 * Names in the query stay: they tell two URLs apart. A path is shown, so it should hold no secret.
 */
export function redactUrls(text: string): string {
  if (!text.includes("://")) return text;
  return text.replace(
    URL_PATTERN,
    (_, scheme: string, hostAndPath: string, query = "") =>
      scheme + hostAndPath + query.replace(QUERY_VALUE, `=${REDACTED}`),
  );
}
