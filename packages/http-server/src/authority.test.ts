import { expect, test } from "bun:test";
import { isAuthority, isHost } from "./authority.ts";

test.each([
  "h",
  "example.com",
  "example.com:8080",
  "example.com:",
  "10.0.0.1:65535",
  "[::1]",
  "[2001:db8::1]:443",
  "[v1.fe:80]",
  "a%20b",
  "under_score~!$&'()*+,;=",
])("%s is an authority", (text) => {
  expect(isAuthority(text)).toBe(true);
  expect(isHost(text)).toBe(true);
});

test.each([
  ":80",
  "h:x",
  "h:-1",
  "h:65536",
  "h:80:80",
  "user@h",
  "h/path",
  "h?q",
  "h#f",
  "a b",
  "a\tb",
  "a%2",
  "h\\g",
  '"h"',
  "<h>",
  "h\xe9",
  "::1",
  "[::1",
  "[1]",
  "[fe80::1%25eth0]",
  "[fe80::1%eth0]",
  "[v.x]",
  "[::1]x",
  "http://h",
])("%s is none", (text) => {
  expect(isAuthority(text)).toBe(false);
  expect(isHost(text)).toBe(false);
});

test("an empty Host field is allowed, and an empty host of a URI is not", () => {
  expect(isHost("")).toBe(true);
  expect(isAuthority("")).toBe(false);
});
