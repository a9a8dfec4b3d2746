// JSON lines for machines, colours for a person at a terminal; the message is constant, data goes in fields.
import { type Static, Type } from "@sinclair/typebox";
import pino, { type DestinationStream, type Logger } from "pino";
import pretty from "pino-pretty";

export const logSettings = {
  LOG_LEVEL: Type.Union(
    (["trace", "debug", "info", "warn", "error", "silent"] as const).map((level) => Type.Literal(level)),
    { default: "info", description: "The least level that is logged" },
  ),
  LOG_FORMAT: Type.Union([Type.Literal("auto"), Type.Literal("json"), Type.Literal("pretty")], {
    default: "auto",
    description: "`auto`: pretty on a terminal, JSON lines elsewhere",
  }),
};
export type LogSettings = { [K in keyof typeof logSettings]: Static<(typeof logSettings)[K]> };

export type Log = Logger;

/** Will the log be JSON lines? Other writers to standard output follow it. */
export function isJsonLog(settings: LogSettings): boolean {
  return settings.LOG_FORMAT === "json" || (settings.LOG_FORMAT === "auto" && !process.stdout.isTTY);
}

/**
 * A log that writes lines to standard output.
 * @param name the program, a field of each line
 * @param settings from `parseSettings` over `logSettings`
 * @param destination where lines go; standard output unless a test says otherwise
 */
export function createLog(name: string, settings: LogSettings, destination?: DestinationStream): Log {
  const options = {
    name,
    level: settings.LOG_LEVEL,
    timestamp: pino.stdTimeFunctions.isoTime,
    messageKey: "message",
    errorKey: "error",
    // pid and hostname are the container's business; the program's name is what tells two logs apart.
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
