/** `langwire types`: writes the declaration of a program's bots, or checks that it is up to date. */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { WrongUsage } from "../wrong-usage.ts";
import { declarationOf } from "./declaration.ts";
import { loadBots } from "./load-bots.ts";

export const typesUsage = `Usage: langwire types <module> [--out <file>] [--check]

Writes the types of the bots that a module exports (\`export const bots = [...] as const\`) as a
TypeScript declaration that imports nothing, for createClient<Bots>() in another repository.

  <module>       a file of TypeScript that Node.js can run as it is, or of JavaScript
  --out <file>   the declaration; without it, it is printed
  --check        writes nothing, and fails where the file is not what would be written
  --help         this text

Exit codes: 0 done, 1 not up to date, or the module cannot be used, 2 wrong usage.
`;

export async function types(args: readonly string[]): Promise<void> {
  const { help, out, check, positionals } = read(args);
  if (help) {
    process.stdout.write(typesUsage);
    return;
  }
  const [module, ...more] = positionals;
  if (module === undefined) throw new WrongUsage("Of which module?");
  if (more.length > 0) throw new WrongUsage(`types takes one module, and no ${more.join(" ")}.`);
  if (check && out === undefined) throw new WrongUsage("--check needs --out: the file to check.");
  const declaration = declarationOf(await loadBots(module));
  if (out === undefined) process.stdout.write(declaration);
  else if (!check) await writeFile(out, declaration);
  else if ((await textOf(out)) !== declaration) {
    const again = `langwire types ${module} --out ${out}`;
    throw new Error(`${out} is not up to date: run \`${again}\`.`);
  }
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw cause;
  }
}

function read(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        out: { type: "string" },
        check: { type: "boolean", default: false },
        help: { type: "boolean", default: false, short: "h" },
      },
    });
    return { ...values, positionals };
  } catch (cause) {
    throw new WrongUsage(cause instanceof Error ? cause.message : String(cause));
  }
}
