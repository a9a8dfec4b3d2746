// Helpers of conformance cases. A case prints lines, which must be the same in every runtime.
const util = require("node:util");

/** The addon under test: this package's or the oracle's. */
exports.addon =
  process.env.CONFORMANCE_ADDON === undefined ? undefined : require(process.env.CONFORMANCE_ADDON);

const plain = (value) =>
  typeof value === "string"
    ? value
    : JSON.stringify(value, (_, member) => {
        if (member === undefined) return "<undefined>";
        if (typeof member === "function") return "<function>";
        if (typeof member === "bigint") return `${member}n`;
        if (typeof member === "number" && !Number.isFinite(member)) return `<${member}>`;
        if (Object.is(member, -0)) return "<-0>";
        return member;
      });

/** Prints one line, as JSON because runtimes print objects differently. */
exports.show = (...values) => console.log(values.map(plain).join(" "));

/** The message of what `body` throws; "no error" when it throws nothing. */
exports.attempt = (body) => {
  try {
    body();
    return "no error";
  } catch (error) {
    return error instanceof Error ? error.message : util.inspect(error);
  }
};

/** Resolves once the event loop has turned a few times. */
exports.tick = async () => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 2));
};

/** Resolves when `condition` holds; ends the case with an error when it has not after `deadlineMs`. */
exports.until = async (condition, deadlineMs = 20_000) => {
  const end = Date.now() + deadlineMs;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`still not so after ${deadlineMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

/** Needs `node --expose-gc`. */
exports.collectGarbage = () => (globalThis.Bun ? globalThis.Bun.gc(true) : globalThis.gc());
