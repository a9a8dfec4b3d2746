// One flag: its kind, and what text its kind accepts.

type Kind =
  /** A whole number; `1_000_000` is accepted. `max` defaults to the largest safe integer. */
  | { kind: "integer"; min: number; max?: number }
  /** A decimal number above 0. */
  | { kind: "number"; max: number; unit?: string }
  /** Read as milliseconds. A bare number is seconds. */
  | { kind: "duration" }
  | { kind: "text" }
  /** An http:// or https:// URL. */
  | { kind: "url" }
  | { kind: "choice"; of: readonly string[] }
  /** Several choices with commas between. */
  | { kind: "list"; of: readonly string[] }
  /** Takes no value. */
  | { kind: "switch" };

/** `value` is the placeholder in --help; `default` is shown there as written. */
export type Flag = Kind & { value?: string; default?: string; help: string };

/** What a flag is parsed to. */
export type FlagValue<F extends Flag> = F extends { kind: "integer" | "number" | "duration" }
  ? number
  : F extends { kind: "choice"; of: readonly (infer Choice)[] }
    ? Choice
    : F extends { kind: "list"; of: readonly (infer Choice)[] }
      ? readonly Choice[]
      : F extends { kind: "switch" }
        ? boolean
        : string;

/** A timer of the event loop holds at most 2^31 - 1 ms. */
const MAX_DURATION_MS = 0x7fff_ffff;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** @returns undefined when the flag does not accept the text */
export function toValue(flag: Flag, text: string): string | number | readonly string[] | undefined {
  switch (flag.kind) {
    case "integer":
      return inRange(/^\d+(_\d+)*$/.test(text) ? Number(text.replaceAll("_", "")) : Number.NaN, {
        min: flag.min,
        max: flag.max ?? Number.MAX_SAFE_INTEGER,
      });
    case "number":
      return inRange(/^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN, {
        min: Number.MIN_VALUE,
        max: flag.max,
      });
    case "duration": {
      const found = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
      const ms = found ? Number(found[1]) * UNIT_MS[found[2] ?? "s"]! : Number.NaN;
      return inRange(ms, { min: Number.MIN_VALUE, max: MAX_DURATION_MS });
    }
    case "choice":
      return flag.of.includes(text) ? text : undefined;
    case "list": {
      const names = text.split(",").map((name) => name.trim());
      return names.every((name) => flag.of.includes(name)) ? names : undefined;
    }
    case "url":
      return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) ? text : undefined;
    case "text":
    case "switch":
      return text;
  }
}

/** What a flag takes, to follow "must be". */
export function describeValue(flag: Flag): string {
  switch (flag.kind) {
    case "integer":
      return `a whole number from ${flag.min}${flag.max === undefined ? "" : ` to ${flag.max}`}`;
    case "number":
      return `a number${flag.unit === undefined ? "" : ` of ${flag.unit}`} above 0, at most ${flag.max}`;
    case "duration":
      return "a duration above 0 such as 30s, 500ms or 2m";
    case "choice":
      return flag.of.join(" or ");
    case "list":
      return `one or more of ${flag.of.join(", ")}, separated by commas`;
    case "url":
      return "an http:// or https:// URL";
    case "text":
    case "switch":
      return flag.help;
  }
}

function inRange(value: number, { min, max }: { min: number; max: number }): number | undefined {
  return value >= min && value <= max ? value : undefined;
}
