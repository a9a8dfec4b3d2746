// Formats an event as one line: JSON, or coloured text for a terminal.
import type { ConsumedEvent, EventContext } from "../../handler.ts";

export type ToLine = (event: ConsumedEvent, context: EventContext) => string;

/**
 * JSON lines: the log's own members, then topic, partition, offset and key, then the event's members as they stand in
 * the record (event_id, event_type, payload, …).
 *
 * The event's JSON text is copied, not serialised again, so numbers keep the caller's digits. That is safe because the
 * text has been parsed and checked, or written by this service: it is an object with only the members of an event. What
 * follows its opening brace therefore closes the line's object, and repeats none of the members before it. Line breaks stand
 * between its tokens alone, because JSON allows none inside strings: they become spaces.
 * @param name the program's name, as in its other log lines
 */
export function jsonLine(name: string): ToLine {
  const head = `{"level":"info","time":"`;
  const afterTime = `","name":${JSON.stringify(name)},"message":"event","topic":`;
  const clock = new LineClock();
  // Successive records mostly share a partition: their common text is built once.
  let topic = "";
  let partition = -1;
  let place = "";
  return (_event, context) => {
    if (context.partition !== partition || context.topic !== topic) {
      ({ topic, partition } = context);
      place = `${afterTime}${JSON.stringify(topic)},"partition":${partition},"offset":`;
    }
    return `${head}${clock.now()}${place}${context.offset},"key":${keyText(context.key)},${members(context.text)}\n`;
  };
}

/** The event's JSON without its opening brace. */
function members(text: string): string {
  const line = text.includes("\n") || text.includes("\r") ? text.replace(LINE_BREAKS, " ") : text;
  return line.charCodeAt(0) === OPENING_BRACE ? line.slice(1) : line.trimStart().slice(1);
}

const OPENING_BRACE = 0x7b;
const LINE_BREAKS = /[\r\n]+/g;

function keyText(key: string | null): string {
  return key === null ? "null" : JSON.stringify(key);
}

const DIM = "\x1b[2m";
const CYAN = "\x1b[36m";
const RESET = "\x1b[0m";

/** For a terminal: time, type, key, partition and offset, id, payload. Control characters are escaped. */
export function prettyLine(): ToLine {
  return (event, { topic, partition, offset, key }) => {
    const time = new Date().toTimeString().slice(0, 8);
    const payload = event.payload === undefined ? "" : ` ${printable(JSON.stringify(event.payload))}`;
    const keyPart = key === null ? "" : ` ${printable(key)}`;
    return (
      `${DIM}[${time}]${RESET} ${CYAN}${printable(event.event_type)}${RESET}${keyPart} ` +
      `${DIM}${topic}[${partition}]@${offset}${RESET} ${printable(event.event_id)}${payload}\n`
    );
  };
}

/** Escapes control characters: a caller's escape sequences could otherwise rewrite the screen. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** The current time as text, formatted once per millisecond. */
class LineClock {
  #ms = -1;
  #text = "";

  now(): string {
    const ms = Date.now();
    if (ms !== this.#ms) {
      this.#ms = ms;
      this.#text = new Date(ms).toISOString();
    }
    return this.#text;
  }
}
