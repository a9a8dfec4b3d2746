import { expect, test } from "bun:test";
import { redactUrls } from "./redact-urls.ts";
import { SettingsError } from "./settings.ts";

test.each([
  ["https://user:pass@example.com/events?token=abc&v=2#frag", "https://example.com/events?token=…&v=…"],
  ["https://example.com/events", "https://example.com/events"],
  ["postgres://events:pa/ss@db/events?sslmode=require", "postgres://events:pa/ss@db/events?sslmode=…"],
  ["postgres://events:pass@db:5432/events", "postgres://db:5432/events"],
  ["https://a@b@example.com/", "https://example.com/"],
  ["see http://u:p@h/?k=v and http://h2/?x=y.", "see http://h/?k=… and http://h2/?x=…"],
  ["no address: a=b?c=d", "no address: a=b?c=d"],
  ["http://example.com?flag&sig=1", "http://example.com?flag&sig=…"],
])("%s is shown as %s", (text, shown) => {
  expect(redactUrls(text)).toBe(shown);
});

test("an invalid setting is reported without its URL's credentials", () => {
  const { message } = new SettingsError([
    { name: "WEBHOOK_URL", value: "htp://user:pass@h/?token=abc", message: "must be a URL" },
  ]);
  expect(message).toContain("htp://h/?token=…");
  expect(message).not.toMatch(/pass|abc/);
});
