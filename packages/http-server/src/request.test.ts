// The request that handlers get is a Fetch Request to whatever reads it, and costs nothing that is not read.
import { describe, expect, test } from "bun:test";
import { Body } from "./body.ts";
import { parseHead } from "./head-parser.ts";
import { IncomingRequest } from "./request.ts";
import type { RequestHead } from "./request-head.ts";

function incoming(text: string, body = ""): IncomingRequest {
  const bytes = Buffer.from(`before${body}after`);
  const content = new Body(bytes, 6, bytes.length - 5);
  return new IncomingRequest(parseHead(text) as RequestHead, 0, content);
}

const post = (body: string, ...fields: string[]) =>
  incoming(["POST /p?a=1 HTTP/1.1", "Host: example.test:81", ...fields].join("\r\n"), body);

test("every member of Request is its own, because the runtime's accept only the runtime's requests", () => {
  const members = Object.getOwnPropertyNames(Request.prototype);
  expect(members.filter((name) => !Object.hasOwn(IncomingRequest.prototype, name))).toEqual([]);
  expect(post("x") instanceof Request).toBe(true);
});

test("has method, url with scheme and host, and headers", () => {
  const request = post("x", "X-A: 1", "x-a: 2", "X-Latin: \xe9");
  expect([request.method, request.url]).toEqual(["POST", "http://example.test:81/p?a=1"]);
  expect(request.headers).toBeInstanceOf(Headers);
  expect(request.headers.get("X-a")).toBe("1, 2");
  expect(request.headers.get("x-latin")).toBe("\xe9");
  expect(request.headers).toBe(request.headers);
  expect(incoming("GET / HTTP/1.0").url).toBe("http://localhost/");
});

describe("the body", () => {
  test("is read as text, JSON, bytes, a blob or a form, once", async () => {
    expect(await post("text").text()).toBe("text");
    expect(await post('{"a":1}').json()).toEqual({ a: 1 });
    expect(Buffer.from(await post("\xff").arrayBuffer()).toString()).toBe("\xff");
    expect(Buffer.from(await post("ab").bytes()).toString()).toBe("ab");
    const blob = await post("ab", "Content-Type: text/x").blob();
    expect([blob.type, await blob.text()]).toEqual(["text/x", "ab"]);
    const form = await post("a=1&b=2", "Content-Type: application/x-www-form-urlencoded").formData();
    expect(form.get("b")).toBe("2");
    const request = post("x");
    expect(request.bodyUsed).toBe(false);
    await request.text();
    expect(request.bodyUsed).toBe(true);
    await expect(request.text()).rejects.toThrow(TypeError);
    expect(() => request.clone()).toThrow(TypeError);
  });

  test("is a stream, and null when there is none", async () => {
    expect(await new Response(post("abc").body).text()).toBe("abc");
    expect(post("").body).toBeNull();
  });

  test("of a method that the Fetch standard does not know is read too", async () => {
    expect(await incoming("QUERY / HTTP/1.1\r\nHost: a", "sql").text()).toBe("sql");
  });

  test("counts as used when its bytes were taken, which a hook that read it does not prevent", async () => {
    const request = post("abc");
    await request.text();
    expect(request.takeContent().toText()).toBe("abc");
    const taken = post("abc");
    taken.takeContent();
    expect(taken.bodyUsed).toBe(true);
    await expect(taken.json()).rejects.toThrow(TypeError);
    expect(() => taken.body).toThrow(TypeError);
  });
});

test("a clone is a Request of the runtime, also for its native functions", async () => {
  const request = post("abc", "X-A: 1");
  const clone = request.clone();
  expect([clone.method, clone.url, clone.headers.get("x-a")]).toEqual(["POST", request.url, "1"]);
  expect(await new Request(clone).text()).toBe("abc");
  expect(await request.text()).toBe("abc");
  expect(incoming("GET / HTTP/1.1\r\nHost: a", "ignored").clone().body).toBeNull();
});

test("its signal is aborted, whether it was asked for before or after", () => {
  const before = post("");
  const { signal } = before;
  expect(signal.aborted).toBe(false);
  before.abort();
  expect(signal.aborted).toBe(true);
  const after = post("");
  after.abort();
  expect(after.signal.aborted).toBe(true);
  const head = incoming("HEAD / HTTP/1.1\r\nHost: a");
  const get = head.toGet();
  head.abort();
  expect([get.method, get.signal.aborted]).toEqual(["GET", true]);
});

test("made from a Fetch Request, it keeps the URL, the headers, the body and the signal", async () => {
  const aborter = new AbortController();
  const request = await IncomingRequest.from(
    new Request("https://example.test/p?a=1", {
      method: "PUT",
      body: "abc",
      headers: { "x-a": "1" },
      signal: aborter.signal,
    }),
  );
  expect([request.method, request.url]).toEqual(["PUT", "https://example.test/p?a=1"]);
  expect([request.head.get("host"), request.headers.get("x-a")]).toEqual(["example.test", "1"]);
  expect(await request.text()).toBe("abc");
  aborter.abort();
  expect(request.signal.aborted).toBe(true);
});
