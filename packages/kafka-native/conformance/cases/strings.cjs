const { addon, show, attempt } = require("../harness/case.cjs");

show(addon.literal(), addon.typedLiteral(), addon.pointer(), addon.writableArray(), addon.withLength());
show("with a NUL inside", JSON.stringify(addon.stdString()));
show(
  "invalid UTF-8",
  [...addon.invalidUtf8()].map((c) => c.codePointAt(0).toString(16)),
);
show("a literal is a string", addon.stringsEqual());

const texts = [
  "",
  "plain",
  "é",
  "漢字",
  "😀",
  "a".repeat(250),
  "a".repeat(255),
  "a".repeat(256),
  "é".repeat(126),
];
texts.push(
  "😀".repeat(63),
  `${"a".repeat(253)}😀`,
  `${"a".repeat(252)}😀`,
  "漢".repeat(5000),
  "x".repeat(1_000_000),
);
for (const text of texts) {
  const bytes = addon.bytes(text);
  show("round trip", text.length, bytes.length, bytes.toString() === text);
}
show("lone surrogates", addon.bytes("a\ud800b").toString("hex"), addon.bytes("\udfff").toString("hex"));
show(
  "not strings",
  [1, null, undefined, true, [1, 2], { toString: () => "converted" }].map((value) =>
    addon.bytes(value).toString(),
  ),
);
show(
  "throwing",
  attempt(() =>
    addon.bytes({
      toString() {
        throw new Error("from toString");
      },
    }),
  ),
);
