/** `langwire types`: writes the declaration of a program's bots, or checks that it is up to date. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { readSettings } from "../../config/read-settings.ts";
import { ProgramSource } from "../program/program-source.ts";
import { WrongUsage } from "../wrong-usage.ts";
import { declarationOf } from "./declaration.ts";

export interface TypesOptions {
  readonly module: string;
  /** The declaration's file; the folders that it is in are made. Default: it is printed. */
  readonly out?: string | undefined;
  readonly check: boolean;
}

/** @throws WrongUsage; Error that says what is not as it should be */
export async function types({ module, out, check }: TypesOptions): Promise<void> {
  if (check && out === undefined) throw new WrongUsage("--check needs --out: the file to check.");
  const source = new ProgramSource(module, process.env);
  source.readSettings();
  const quiet = { info: () => {}, warn: () => {} };
  const program = await source.load(readSettings({}), quiet);
  const declaration = declarationOf(program?.bots ?? []);
  if (out === undefined) process.stdout.write(declaration);
  else if (!check) await write(out, declaration);
  else if ((await textOf(out)) !== declaration) {
    const again = `langwire types ${module} --out ${out}`;
    throw new Error(`${out} is not up to date: run \`${again}\`.`);
  }
}

async function write(file: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${file} cannot be written: ${reason}`, { cause });
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
