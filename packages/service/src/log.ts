// JSON lines, or coloured text on a terminal. Messages are constant; data goes into fields.
import { type Static, Type } from "@sinclair/typebox";
import pino, { type DestinationStream, type Logger } from "pino";
import pretty from "pino-pretty";

export const logSettings = {
  LOG_LEVEL: Type.Union(
    (["trace", "debug", "info", "warn", "error", "silent"] as const).map((level) => Type.Literal(level)),
    { default: "info", description: "Lowest level that is logged." },
  ),
  LOG_FORMAT: Type.Union([Type.Literal("auto"), Type.Literal("json"), Type.Literal("pretty")], {
    default: "auto",
    description: "`auto`: pretty on a terminal, JSON lines elsewhere.",
  }),
};
export type LogSettings = { [K in keyof typeof logSettings]: Static<(typeof logSettings)[K]> };

export type Log = Logger;

/** Does the log consist of JSON lines? Other output to standard output follows its format. */
export function isJsonLog(settings: LogSettings): boolean {
  return settings.LOG_FORMAT === "json" || (settings.LOG_FORMAT === "auto" && !process.stdout.isTTY);
}

/**
 * A log that writes lines to standard output.
 * @param name the program, a field of each line
 * @param settings from `parseSettings` over `logSettings`
 * @param destination standard output by default
 */
export function createLog(name: string, settings: LogSettings, destination?: DestinationStream): Log {
  const options = {
    name,
    level: settings.LOG_LEVEL,
    timestamp: pino.stdTimeFunctions.isoTime,
    messageKey: "message",
    errorKey: "error",
    // Without pid and hostname, which the container's runtime adds; the name tells two programs' lines apart.
    base: { name },
    formatters: { level: (level: string) => ({ level }) },
  };
  if (isJsonLog(settings)) return pino(options, destination ?? pino.destination({ dest: 1, sync: true }));
  return pino(
    options,
    pretty({
      sync: true,
      messageKey: "message",
      errorLikeObjectKeys: ["error"],
      ignore: "name,pid,hostname",
      translateTime: "SYS:HH:MM:ss.l",
      destination: destination ?? 1,
    }),
  );
}
