/** What a document may tell its reader to type. Each command is held against what is there. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { settings } from "../../src/config/settings.ts";
import { root } from "./samples.ts";

type Scripts = Readonly<Record<string, string>>;
const packages: { scripts: Scripts } = JSON.parse(
  await readFile(join(root, "package.json"), "utf8"),
);

/** Variables that are no settings of the server, with who reads them. */
const otherVariables = new Set([
  "LANGWIRE_URL", // the examples
  "ADMIN_TOKEN", // the admin command
  "LANGSMITH_TRACING", // LangChain
  "LANGSMITH_API_KEY",
  "LANGSMITH_ENDPOINT",
  "LANGSMITH_PROJECT",
  "NODE_ENV",
]);

const examples = (name: string): boolean =>
  existsSync(join(root, `examples/${name}.ts`)) || existsSync(join(root, `examples/${name}`));

/** The command, and its words checked as far as they can be without running it. */
const known: readonly (readonly [RegExp, ((match: RegExpMatchArray) => boolean)?])[] = [
  [/^npm (ci|install)$/],
  [/^npm (install|i) [\w@/ .-]+$/],
  [/^npm (start|test)$/, ([, script = ""]) => script in packages.scripts],
  [/^npm run (?:--silent )?([\w:]+)(?= -- .*|$)/, ([, script = ""]) => script in packages.scripts],
  [/^npm run example -- ([\w-]+)/, ([, name = ""]) => examples(name)],
  [/^npx vitest run ([\w./-]+)$/, ([, path = ""]) => existsSync(join(root, path))],
  [/^npx (langwire|langwire-chat)\b/],
  [/^npx node --env-file=\.env src\/main\.ts$/],
  [/^node [\w-]+\.ts$/],
  [/^(?:\/usr\/bin\/)?python3 ([\w./-]+)/, ([, path = ""]) => existsSync(join(root, path))],
  [/^cp \.env\.example \.env$/],
  [/^curl( -[\w-]+)*( -H "[^"]+")* http:\/\/127\.0\.0\.1:\d+(\/[\w./?=-]*)?$/],
  [/^git clone https:\/\/\S+( \w+)?$/],
  [/^cd [\w/-]+$/],
  [/^(?:sudo )?apt-get install [\w -]+$/],
  [/^docker (build|run) .+$/, ([line]) => !/ -f (\S+)/.test(line) || fileOf(line)],
  [/^ops\/([\w.-]+)( .*)?$/, ([, file = ""]) => existsSync(join(root, "ops", file))],
  [/^openssl rand -base64 \d+$/],
  [/^redis-server( --[\w-]+ \S+)*$/],
  [/^pg_dump( --[\w-]+(=\S+)?)+ "\$DATABASE_URL"$/],
  [/^pg_restore( --[\w-]+(=\S+)?)+ \S+$/],
  [/^kill -TERM \S+$/],
];

function fileOf(line: string): boolean {
  return existsSync(join(root, / -f (\S+)/.exec(line)?.[1] ?? ""));
}

/** What is wrong with a command; undefined when it is known and well. */
export function problemWith(command: string): string | undefined {
  const assignments = /^(?:[A-Z][A-Z0-9_]*=(?:"[^"]*"|\S)* +)*/.exec(command)?.[0] ?? "";
  for (const [, name = ""] of assignments.matchAll(/([A-Z][A-Z0-9_]*)=/g)) {
    if (!(name in settings.shape) && !otherVariables.has(name)) return `no such setting: ${name}`;
  }
  const line = command.slice(assignments.length);
  const matching = known.flatMap(([pattern, check]) => {
    const match = pattern.exec(line);
    return match === null ? [] : [{ match, check }];
  });
  if (matching.length === 0) return "not a known command";
  const wrong = matching.some(({ match, check }) => check !== undefined && !check(match));
  return wrong ? "names something that is not there" : undefined;
}
