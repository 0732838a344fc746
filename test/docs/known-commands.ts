/**
 * What a document may tell its reader to type, and what types it in a test. Documents that a test follows
 * from top to bottom (`followed`) are not held to this: there each command is typed where it stands.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArguments as parseChat } from "../../client/src/cli/arguments.ts";
import { commandOf } from "../../src/cli/admin/arguments.ts";
import { settings } from "../../src/config/settings.ts";
import { root } from "./samples.ts";

type Scripts = Readonly<Record<string, string>>;
const packages: { scripts: Scripts } = JSON.parse(
  await readFile(join(root, "package.json"), "utf8"),
);

/** Documents that a test of their own follows, each command and each file. */
export const followed = /^docs\/(?:guides\/(?!README).+|start(?:\.ja)?)\.md$/;

/** Documents for who works on Langwire itself, in a checkout; all others speak to who has installed it. */
const forCheckout = /^(?:CONTRIBUTING|docs\/(?:testing|performance|decisions))\.md$/;

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

interface Known {
  readonly pattern: RegExp;
  /** The test that types it, or what is like it; or, in other words, why there is none. */
  readonly tried: string;
  /** Whether what the pattern took is well. */
  readonly isWell?: (match: readonly string[]) => boolean;
}

const isFile = ([, path = ""]: readonly string[]) => existsSync(join(root, path));
const isScript = ([, script = ""]: readonly string[]) => script in packages.scripts;
const isExample = ([, name = ""]: readonly string[]) =>
  existsSync(join(root, `examples/${name}.ts`));
const isChat = ([, args = ""]: readonly string[]) => isTaken(() => parseChat(wordsOf(args)));
const isAdmin = ([, args = ""]: readonly string[]) => isTaken(() => commandOf(wordsOf(args)));

const noDocker = "needs a container engine; test/ops/container.test.ts follows the file's steps";
const elsewhere = "is no command of ours";

const inProject: readonly Known[] = [
  {
    pattern: /^npm i (?:pg|redis|prom-client|langwire|langwire-client|@langchain\/core| )+$/,
    tried: "test/packages/packages.test.ts",
  },
  { pattern: /^npm create langwire@latest my-bots$/, tried: "test/packages/init.test.ts" },
  { pattern: /^cd my-bots$/, tried: "test/packages/init.test.ts" },
  { pattern: /^npm install$/, tried: "test/packages/init.test.ts" },
  { pattern: /^npm run dev$/, tried: "test/packages/init.test.ts" },
  { pattern: /^npx langwire (?:dev|start) bots\.ts$/, tried: "test/docs/start.test.ts" },
  { pattern: /^npx langwire chat (.+)$/, tried: "test/docs/start.test.ts", isWell: isChat },
  {
    pattern: /^npx langwire types \.\/bots\.ts --out \S+(?: --check)?$/,
    tried: "test/packages/packages.test.ts",
  },
  {
    pattern: /^npx langwire admin ((?!backup|restore).+?)(?: > [\w.-]+)?$/,
    tried: "test/ops/admin.test.ts",
    isWell: isAdmin,
  },
  {
    pattern: /^npx langwire admin ((?:backup|restore) .+)$/,
    tried: "test/ops/backup.test.ts",
    isWell: isAdmin,
  },
  {
    pattern: /^curl -s http:\/\/127\.0\.0\.1:\d+\/(?:healthz|readyz)$/,
    tried: "test/server/health.test.ts",
  },
  { pattern: /^curl -s http:\/\/127\.0\.0\.1:9464\/metrics$/, tried: "test/ops/metrics.test.ts" },
  { pattern: /^openssl rand -base64 48$/, tried: elsewhere },
  { pattern: /^pg_(?:dump|restore)( --[\w-]+(=\S+)?)+( \S+)?$/, tried: elsewhere },
];

const inCheckout: readonly Known[] = [
  { pattern: /^npm ci$/, tried: "test/ops/checkout.test.ts" },
  { pattern: /^npm start$/, tried: "test/ops/signals.test.ts" },
  { pattern: /^npm test$/, tried: "is what runs this", isWell: () => "test" in packages.scripts },
  { pattern: /^npm run chat -- (.+)$/, tried: "test/client/cli.test.ts", isWell: isChat },
  {
    pattern: /^npm run example -- ([\w-]+)$/,
    tried: "test/examples/examples.test.ts",
    isWell: isExample,
  },
  {
    pattern: /^npm run ([\w:]+)$/,
    tried: "is part of `npm test`, or takes hours",
    isWell: isScript,
  },
  { pattern: /^npx vitest run ([\w./-]+)$/, tried: "is part of `npm test`", isWell: isFile },
  {
    pattern: /^npx node --env-file=\.env (src\/main\.ts)$/,
    tried: "test/ops/signals.test.ts",
    isWell: isFile,
  },
  { pattern: /^cp (\.env\.example) \.env$/, tried: elsewhere, isWell: isFile },
  {
    pattern: /^docker build -f (ops\/Dockerfile) -t langwire \.$/,
    tried: noDocker,
    isWell: isFile,
  },
  { pattern: /^docker run --rm -p 3000:3000( -[ve] \S+)+ langwire$/, tried: noDocker },
  { pattern: /^(ops\/container-steps\.sh)$/, tried: "test/ops/container.test.ts", isWell: isFile },
];

/** Tests that are named and not there. */
export const untried = [...inProject, ...inCheckout]
  .map(({ tried }) => tried)
  .filter((tried) => tried.startsWith("test/") && !existsSync(join(root, tried)));

/** What is wrong with a command of a document; undefined when it is known there, and well. */
export function problemWith(document: string, command: string): string | undefined {
  const assignments = /^(?:[A-Z][A-Z0-9_]*=(?:"[^"]*"|\S)* +)*/.exec(command)?.[0] ?? "";
  for (const [, name = ""] of assignments.matchAll(/([A-Z][A-Z0-9_]*)=/g)) {
    if (!(name in settings.shape) && !otherVariables.has(name)) return `no such setting: ${name}`;
  }
  const line = command.slice(assignments.length);
  const known = forCheckout.test(document) ? inCheckout : inProject;
  const matching = known.flatMap(({ pattern, isWell }) => {
    const match = pattern.exec(line);
    return match === null ? [] : [isWell?.(match) ?? true];
  });
  if (matching.length === 0) return "not a known command, where this document's reader stands";
  return matching.includes(false) ? "names something that is not there" : undefined;
}

/** Words as a shell makes them of what documents have. */
function wordsOf(args: string): string[] {
  return [...args.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, word = ""]) => double ?? single ?? word,
  );
}

function isTaken(parse: () => unknown): boolean {
  try {
    parse();
    return true;
  } catch {
    return false;
  }
}
