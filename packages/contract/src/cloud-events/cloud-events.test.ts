import { describe, expect, test } from "bun:test";
import { attributeProblems } from "./attributes.ts";
import { type CloudEvent, fromCloudEventJson, isJsonContentType, toCloudEventJson } from "./cloud-event.ts";
import { decodeHeaderValue, encodeHeaderValue } from "./http-binding.ts";
import { memberText } from "./json-members.ts";
import { contentModeOf, fromRecord, toBinaryHeaders } from "./kafka-binding.ts";

const minimal = { specversion: "1.0", id: "1", source: "/s", type: "t" };
const problemsOf = (attributes: object) => attributeProblems(new Map(Object.entries(attributes)));
const read = (json: string) => fromCloudEventJson(JSON.parse(json), json);
const event = (json: string): CloudEvent => {
  const result = read(json);
  if (Array.isArray(result)) throw new Error(JSON.stringify(result));
  return result;
};
const headers = (fields: Record<string, string>) =>
  Object.entries(fields).map(([name, value]) => [name, Buffer.from(value)] as const);

describe("attributes", () => {
  test("the required ones suffice; each that is missing is named", () => {
    expect(problemsOf(minimal)).toEqual([]);
    expect(problemsOf({}).map(({ pointer, message }) => `${pointer} ${message}`)).toEqual(
      ["specversion", "id", "source", "type"].map((name) => `/${name} is required`),
    );
  });

  test.each(["0.3", "1.1", "1", 1])("specversion %j is refused by name, alone", (specversion) => {
    const problems = problemsOf({ ...minimal, specversion, type: "" });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({
      pointer: "/specversion",
      message: expect.stringContaining("send 1.0"),
    });
  });

  test.each([
    ["id", ""],
    ["id", "x".repeat(129)],
    ["type", "x".repeat(129)],
    ["type", 5],
    ["source", ""],
    ["source", "not a uri"],
    ["source", "/a%zz"],
    ["subject", ""],
    ["subject", "line\nbreak"],
    ["subject", "\ud800"],
    ["subject", "\ufffe"],
    ["time", "2026-02-30T00:00:00Z"],
    ["time", "yesterday"],
    ["dataschema", "/relative"],
    ["datacontenttype", "json"],
    ["partitionkey", ""],
    ["partitionkey", "x".repeat(257)],
    ["ext", 1.5],
    ["ext", 2 ** 31],
    ["ext", { nested: 1 }],
    ["Ext", "upper case"],
    ["my-ext", "hyphen"],
    ["data", "reserved"],
  ])("%s: %j is refused, and pointed to", (name, value) => {
    expect(problemsOf({ ...minimal, [name]: value }).map(({ pointer }) => pointer)).toEqual([`/${name}`]);
  });

  test.each([
    ["id", "\u{1F600}".repeat(128)],
    ["subject", "größer \u{1F600}"],
    ["source", "https://example.com/a?b=c#d"],
    ["source", "urn:event:from:myapi/resource/123"],
    ["source", "1-555-123-4567"],
    ["time", "2026-01-31T12:00:00.123456789+02:00"],
    ["datacontenttype", 'application/json; charset="utf-8"'],
    ["ext", true],
    ["ext", -(2 ** 31)],
    ["ext", ""],
    ["averylongextensionnamethatisdiscouraged", "x"],
  ])("%s: %j is taken", (name, value) => {
    expect(problemsOf({ ...minimal, [name]: value })).toEqual([]);
  });
});

describe("the JSON format", () => {
  const json = (members: string) => `{"specversion":"1.0","id":"1","source":"/s","type":"t"${members}}`;

  test("keeps the data as it was written, digits and repeated members included", () => {
    const written = '{ "n":12345678901234567890, "a":1.0, "a":"\\u00e9}" }';
    const { data, attributes } = event(json(`,"data" : ${written} ,"ext":5`));
    expect(data).toMatchObject({ kind: "json", text: written });
    // Other formats imply no type.
    expect(attributes.get("datacontenttype")).toBe("application/json");
    expect(attributes.get("ext")).toBe(5);
  });

  test.each(["null", "3", '"text"', "[1,2]", "true"])("data %s is data", (written) => {
    expect(event(json(`,"data":${written}`)).data).toMatchObject({ kind: "json", text: written });
  });

  test("without data there is none, and no type is added", () => {
    const { data, attributes } = event(json(""));
    expect(data).toBeUndefined();
    expect(attributes.has("datacontenttype")).toBe(false);
  });

  test("an attribute that is null is absent", () => {
    expect(event(json(',"subject":null,"ext":null')).attributes.size).toBe(4);
    expect(read('{"specversion":"1.0","id":null,"source":"/s","type":"t"}')).toEqual([
      { pointer: "/id", message: "is required" },
    ]);
  });

  test("data_base64 is bytes, of no assumed type", () => {
    const { data, attributes } = event(json(',"data_base64":"AP/+"'));
    expect(data).toEqual({ kind: "bytes", bytes: Buffer.from([0, 0xff, 0xfe]) });
    expect(attributes.has("datacontenttype")).toBe(false);
  });

  test("data of another type is text", () => {
    expect(event(json(',"datacontenttype":"application/xml","data":"<a b=\\"c\\"/>"')).data).toEqual({
      kind: "text",
      text: '<a b="c"/>',
    });
  });

  test.each([
    [',"data":1,"data_base64":"AA=="', "/data_base64"],
    [',"data_base64":"not base64!"', "/data_base64"],
    [',"data_base64":7', "/data_base64"],
    [',"datacontenttype":"text/plain","data":{"a":1}', "/data"],
    [',"datacontenttype":"text/plain","data":"\\ud800"', "/data"],
  ])("%s is refused", (members, pointer) => {
    expect(read(json(members))).toMatchObject([{ pointer }]);
  });

  test.each(["[]", "3", "null"])("%s is no event", (text) => {
    expect(read(text)).toMatchObject([{ pointer: "" }]);
  });

  test.each([
    json(',"datacontenttype":"application/json","ext":true,"other":"é","data":{"n":1.00}'),
    json(',"datacontenttype":"text/plain","data":"a\\nb"'),
    json(',"datacontenttype":"image/png","data_base64":"AP/+"'),
    json(""),
  ])("%s is written as it was read", (text) => {
    expect(toCloudEventJson(event(text))).toBe(text);
  });
});

test.each([
  ["application/json", true],
  ["application/JSON ; charset=UTF-8", true],
  ["application/problem+json", true],
  ["text/json", true],
  ["application/json; charset=utf-16", false],
  ["application/jsonl", false],
  ["text/plain", false],
  [undefined, false],
])("%p declares JSON: %p", (contentType, isJson) => {
  expect(isJsonContentType(contentType)).toBe(isJson);
});

describe("a member's text", () => {
  test.each([
    ['{"data":1}', "1"],
    ['{"a":"data","data" :\n [1,{"data":2}] , "b":{"data":3}}', '[1,{"data":2}]'],
    ['{"data":1,"data":"x"}', '"x"'],
    ['{"d\\u0061ta":"}\\"{"}', '"}\\"{"'],
    ['{"a\\\\":"\\\\","data":0}', "0"],
    ['{"nodata":{"data":1}}', undefined],
    ["{}", undefined],
  ])("of %s is %s", (json, text) => {
    JSON.parse(json);
    expect(memberText(json, "data")).toBe(text);
  });
});

describe("values of HTTP header fields", () => {
  test.each([
    ["Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"],
    ["%e2%82%ac", "€"],
    ['"a \\"b\\" c"', 'a "b" c'],
    ["%41%2F", "A/"],
    ["plain value", "plain value"],
  ])("%s is %s", (value, text) => {
    expect(decodeHeaderValue(value)).toBe(text);
  });
  test.each(["%C0%A0", "%ED%A0%80", "100%", "%zz", "€"])("%s is malformed", (value) => {
    expect(decodeHeaderValue(value)).toBeUndefined();
  });
  test("are encoded as the binding says, and decoded to the same text", () => {
    expect(encodeHeaderValue("Euro € 😀")).toBe("Euro%20%E2%82%AC%20%F0%9F%98%80");
    for (const text of ['a"b', "50%", "~!#$&'()*+,/:;=?@[]", "\u0001é漢"])
      expect(decodeHeaderValue(encodeHeaderValue(text))).toBe(text);
  });
});

describe("records", () => {
  test("hold an event in the binary or structured mode, or none", () => {
    expect(contentModeOf([])).toBeUndefined();
    expect(contentModeOf(headers({ "content-type": "application/json", trace: "x" }))).toBeUndefined();
    expect(contentModeOf(headers({ ce_specversion: "1.0" }))).toBe("binary");
    expect(contentModeOf(headers({ "content-type": "Application/CloudEvents+JSON; charset=UTF-8" }))).toBe(
      "structured",
    );
  });

  test("binary: what is written is read", () => {
    const written = event(
      '{"specversion":"1.0","id":"1","source":"/s","type":"t","ext":true,"n":5,"data":{"a":1}}',
    );
    const fields = toBinaryHeaders(written).map(([name, value]) => [name, Buffer.from(value)] as const);
    expect(Object.fromEntries(fields.map(([name, value]) => [name, value.toString()]))).toEqual({
      ce_specversion: "1.0",
      ce_id: "1",
      ce_source: "/s",
      ce_type: "t",
      ce_ext: "true",
      ce_n: "5",
      "content-type": "application/json",
    });
    expect(fromRecord(fields, Buffer.from('{"a":1}'), "binary")).toMatchObject({ data: { value: { a: 1 } } });
  });

  test.each([
    [{ ce_specversion: "1.0" }, "", "/id is required"],
    [{ ce_specversion: "0.3" }, "", "not supported"],
    [
      {
        ce_specversion: "1.0",
        ce_id: "1",
        ce_source: "/s",
        ce_type: "t",
        "content-type": "application/json",
      },
      "{",
      "the data is not JSON",
    ],
  ])("binary: %j with %j is no event: %s", (fields, value, reason) => {
    expect(fromRecord(headers(fields), Buffer.from(value), "binary")).toContain(reason);
  });

  test.each([
    ["{", "the value is not JSON"],
    ['{"specversion":"1.0"}', "/id is required"],
    ["\xff", "the value is not UTF-8"],
  ])("structured: %j is no event: %s", (value, reason) => {
    expect(fromRecord([], Buffer.from(value, "latin1"), "structured")).toContain(reason);
  });
});
