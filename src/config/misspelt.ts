/**
 * Variables that are nearly a setting's name. A misspelt setting is one that is not set, and nothing else
 * says so. Environments are full of others' variables, so only what differs by a slip is named: a letter or
 * two of a long name, an underscore, capitals, an end that was left off, two letters of a short one swapped.
 */
import { settings } from "./settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export interface Misspelt {
  readonly name: string;
  /** The setting that is meant, as far as one can tell. */
  readonly meant: string;
}

/** Shorter names, such as PORT, have neighbours that are words of their own. */
const shortest = 8;
/** From this length on, two letters are a slip as well. */
const long = 12;
/** How others call what is a setting here. */
const otherNames: Readonly<Record<string, string>> = {
  OPENAI_KEY: "OPENAI_API_KEY",
  OPENAI_API_BASE: "OPENAI_BASE_URL",
  OPENAI_API_URL: "OPENAI_BASE_URL",
};

/** Those whose setting is not set: otherwise it is as somebody wants it. */
export function misspeltSettings(environment: Environment): Misspelt[] {
  const known = Object.keys(settings.shape);
  const isSet = (name: string): boolean => (environment[name] ?? "") !== "";
  const unset = known.filter((name) => !isSet(name));
  return Object.keys(environment).flatMap((name) => {
    if (known.includes(name) || !isSet(name)) return [];
    const meant = unset.find((one) => otherNames[name] === one || isSlip(name, one));
    return meant === undefined ? [] : [{ name, meant }];
  });
}

function isSlip(name: string, setting: string): boolean {
  if (bare(name) === bare(setting)) return setting.includes("_");
  if (name.split("_").length > 2 && setting.startsWith(name)) return true;
  if (setting.length < shortest) return isSwap(name.toUpperCase(), setting);
  // A second one of the same, beside it: DATABASE_URL_2.
  if (/^_?\d+$/.test(name.replace(setting, ""))) return false;
  return distanceWithin(name.toUpperCase(), setting, setting.length < long ? 1 : 2);
}

/** Whether they are the same but for two neighbours. */
function isSwap(one: string, other: string): boolean {
  const sorted = (text: string) => [...text].sort().join("");
  return sorted(one) === sorted(other) && distanceWithin(one, other, 1);
}

const bare = (name: string): string => name.replaceAll(/[_-]/g, "").toUpperCase();

/** Whether few letters were added, left out, replaced or swapped with their neighbour. */
function distanceWithin(one: string, other: string, most: number): boolean {
  if (Math.abs(one.length - other.length) > most) return false;
  let older: number[] = [];
  let before = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row++) {
    const now = [row];
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      now[column] = Math.min(
        (before[column] ?? 0) + 1,
        (now[column - 1] ?? 0) + 1,
        (before[column - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (older[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [older, before] = [before, now];
  }
  return (before[other.length] ?? most + 1) <= most;
}
