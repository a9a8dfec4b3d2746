import type { LogLine } from "./log-lines.ts";
import { ServiceProcess } from "./service-process.ts";

export class ConsumerProcess extends ServiceProcess {
  /** The lines that it has logged for events. */
  get events(): LogLine[] {
    return this.lines.filter(({ message }) => message === "event");
  }

  /** Resolves once partitions are assigned. */
  async untilWaiting(): Promise<void> {
    await this.untilLogged("connected and waiting for messages");
  }
}

/** Starts the consumer with its health server on a free port. */
export function startConsumer(env: Record<string, string>): ConsumerProcess {
  return new ConsumerProcess({
    program: "services/consumer/src/main.ts",
    env: { HEALTH_PORT: "0", ...env },
  });
}

/** Starts the command that replays dead letters. */
export function startReplay(env: Record<string, string>, args: readonly string[] = []): ServiceProcess {
  return new ServiceProcess({ program: "services/consumer/src/replay.ts", args, env });
}
