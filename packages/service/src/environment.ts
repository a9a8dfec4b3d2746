// What settings are read from, and what can be wrong with them.

/** Environment variables; only a program's main reads the process's own. */
export type Env = Readonly<Record<string, string | undefined>>;

/** One invalid setting. */
export interface SettingProblem {
  name: string;
  /** What was given; `undefined` when nothing was. `SettingsError` redacts secrets. */
  value: string | undefined;
  /** What to change. */
  message: string;
}
