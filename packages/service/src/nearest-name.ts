// The name that a misspelled one was probably meant to be.
import { distance } from "fastest-levenshtein";

/** Names that differ from a short one by a letter are usually other names: HOME and HOST, PATH and PORT. */
const MIN_LENGTH = 6;

/** The candidate with the smallest edit distance, if that is at most a third of the name's length. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  return nearest(name, candidates, Math.floor(name.length / 3));
}

/**
 * The setting of which a variable's name is a misspelling: it differs by one letter, by two from 10 letters on, or by
 * underscores. Stricter than `nearestName`, since most variables of an environment belong to other programs.
 */
export function misspelledSetting(name: string, settings: Iterable<string>): string | undefined {
  const { length } = name;
  if (length < MIN_LENGTH) return undefined;
  return nearest(name, settings, length < 10 ? 1 : 2);
}

function nearest(name: string, candidates: Iterable<string>, maxDistance: number): string | undefined {
  let best: string | undefined;
  let bestDistance = maxDistance + 1;
  for (const candidate of candidates) {
    const edits = toLetters(name) === toLetters(candidate) ? 0 : distance(name, candidate);
    if (edits < bestDistance) [best, bestDistance] = [candidate, edits];
  }
  return best;
}

function toLetters(name: string): string {
  return name.replaceAll("_", "").toUpperCase();
}
