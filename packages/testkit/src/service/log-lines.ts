/** A line of a service's JSON log. */
export interface LogLine {
  level: string;
  message: string;
  // Fields of the consumer's line for an event.
  topic?: string;
  partition?: number;
  offset?: number;
  key?: string | null;
  event_id?: string;
  [field: string]: unknown;
}

/** Undefined for text that is not a JSON object. */
export function toLogLine(text: string): LogLine | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as LogLine) : undefined;
  } catch {
    return undefined;
  }
}

/** Calls back with each line of a stream, the last one included where it has no line break. */
export async function readLines(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  }
  if (rest !== "") onLine(rest);
}
