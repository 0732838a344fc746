/** biome.json: what is in it, with its import rules made anew from scripts/import-rules.ts. */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { type ImportRule, importRules } from "../import-rules.ts";

interface LintConfig {
  overrides?: readonly Override[];
  [setting: string]: unknown;
}

interface Override {
  readonly includes?: readonly string[];
  readonly linter?: { readonly rules?: { readonly style?: { noRestrictedImports?: unknown } } };
}

/** From a file in a folder of the list to `src`, or to the root, however deep it is. */
const ups = "{..,../..,../../..,../../../..}";

/** @param current the text of biome.json */
export async function lintConfig(current: string): Promise<string> {
  const config = JSON.parse(current) as LintConfig;
  const others = (config.overrides ?? []).filter(
    ({ linter }) => linter?.rules?.style?.noRestrictedImports === undefined,
  );
  const overrides = [...others, ...importRules.map((rule) => override(rule))];
  return formatted(JSON.stringify({ ...config, overrides }));
}

function override(rule: ImportRule): Override {
  const message = `${rule.reason} (scripts/import-rules.ts)`;
  // The last pattern that matches decides.
  const group = [...unknownPackages(rule), ...foreign(rule)];
  const noRestrictedImports = { level: "error", options: { patterns: [{ group, message }] } };
  return {
    includes: [isFile(rule.path) ? rule.path : `${rule.path}/**`],
    linter: { rules: { style: { noRestrictedImports } } },
  };
}

/** What is ours and not allowed. */
function foreign({ path, ours }: ImportRule): string[] {
  if (!path.startsWith("src/")) return [`${ups}/src/**`];
  const refused = importRules
    .map((rule) => rule.path)
    .filter((other) => other !== path && !ours.includes(other) && other.startsWith("src/"))
    .map((other) => other.slice("src/".length));
  const from = isFile(path) ? "." : ups;
  const files = refused.filter(isFile);
  const folders = refused.filter((name) => !isFile(name));
  return [`${from}/${oneOf(folders)}/**`, `${from}/${oneOf(files)}`, `${ups}/client/**`];
}

function unknownPackages({ packages }: ImportRule): string[] {
  return ["**", "!./**", "!../**", ...packages.flatMap((name) => [`!${name}`, `!${name}/**`])];
}

function oneOf(names: readonly string[]): string {
  return `{${names.join(",")}}`;
}

function isFile(path: string): boolean {
  return path.endsWith(".ts");
}

async function formatted(json: string): Promise<string> {
  const biome = spawn("biome", ["format", "--stdin-file-path=biome.json"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  biome.stdin.end(json);
  return text(biome.stdout);
}
