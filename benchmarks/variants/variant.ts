// One variant on the command line.
import { root } from "../kit/paths.ts";

/** Reads `label=folder,NAME=value,…`; all after the label is optional. */
export function parseVariant(text: string): { label: string; folder: string; env: Record<string, string> } {
  const at = text.indexOf("=");
  const label = at < 0 ? text : text.slice(0, at);
  const parts = at < 0 ? [] : text.slice(at + 1).split(",");
  const settings = parts.filter((part) => /^[A-Za-z_][A-Za-z0-9_]*=/.test(part));
  const folders = parts.filter((part) => !settings.includes(part));
  if (label === "" || folders.length > 1) throw new Error(`"${text}" is not a variant: see --help`);
  const toPair = (setting: string) => [
    setting.slice(0, setting.indexOf("=")),
    setting.slice(setting.indexOf("=") + 1),
  ];
  return { label, folder: folders[0] ?? root, env: Object.fromEntries(settings.map(toPair)) };
}
