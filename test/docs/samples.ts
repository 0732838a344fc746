/** The documents of this repository, their code samples and their links. */
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";

export const root = new URL("../..", import.meta.url).pathname;

export interface Sample {
  /** Where it stands, as `docs/bots.md:12`. */
  readonly place: string;
  /** The word after the opening fence. */
  readonly language: string;
  /** The file that it is, in documents that say so: ```ts title="bots.ts" */
  readonly title?: string;
  readonly code: string;
}

/** READMEs, CONTRIBUTING and everything under docs/: what tells a reader what to write and type. */
export async function documents(): Promise<string[]> {
  return (await allDocuments()).filter((path) =>
    /^(?:(?:README(?:\.\w+)?|CONTRIBUTING)\.md$|docs\/)/.test(path),
  );
}

/** Every Markdown file of the repository, relative to the root. */
export async function allDocuments(): Promise<string[]> {
  const ours = (path: string): boolean =>
    !/(^|\/)(node_modules|dist|\..*)$/.test(path) || path === ".";
  const found: string[] = [];
  for await (const path of glob("**/*.md", { cwd: root, exclude: (path) => !ours(path) })) {
    found.push(path);
  }
  return found.toSorted();
}

/**
 * The fenced blocks of a document. One below `<!-- continues -->` goes on with the one before it, in
 * the same language, so that a long sample can be told in pieces.
 */
export async function samplesIn(document: string): Promise<Sample[]> {
  const text = await readFile(join(root, document), "utf8");
  const samples: Sample[] = [];
  const fence = /(<!-- continues -->\s*)?^( *)```(\S*)([^\n]*)\n([\s\S]*?)^\2```$/gm;
  for (const match of text.matchAll(fence)) {
    const [, continues, indent = "", language = "", info = "", body = ""] = match;
    const code = body.replaceAll(new RegExp(`^${indent}`, "gm"), "");
    const title = /title="([^"]+)"/.exec(info)?.[1];
    const line = text.slice(0, match.index).split("\n").length;
    const before = samples.at(-1);
    if (continues !== undefined && before?.language === language) {
      samples[samples.length - 1] = { ...before, code: before.code + code };
    } else samples.push({ place: `${document}:${line}`, language, code, ...(title && { title }) });
  }
  return samples;
}

/** Commands of a shell sample, one a line; lines that end in a backslash go on in the next. */
export function commandsIn({ code }: Sample): string[] {
  return code
    .replaceAll("\\\n", " ")
    .split("\n")
    .flatMap((line) => line.replace(/(^|\s)#\s.*$/, "").split("&&"))
    .map((command) => command.trim())
    .filter((command) => command !== "");
}
