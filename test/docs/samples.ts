/** The documents of this repository, their code samples and their links. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export const root = new URL("../..", import.meta.url).pathname;

export interface Sample {
  /** Where it stands, as `docs/bots.md:12`. */
  readonly place: string;
  /** The word after the opening fence. */
  readonly language: string;
  readonly code: string;
}

/** README and everything under docs/, relative to the root. */
export async function documents(): Promise<string[]> {
  const pages = await readdir(join(root, "docs"));
  const readmes = (await readdir(root)).filter((name) => /^README(\.\w+)?\.md$/.test(name));
  return [
    ...readmes,
    ...pages.filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`),
  ];
}

/**
 * The fenced blocks of a document. One below `<!-- continues -->` goes on with the one before it, in
 * the same language, so that a long sample can be told in pieces.
 */
export async function samplesIn(document: string): Promise<Sample[]> {
  const text = await readFile(join(root, document), "utf8");
  const samples: Sample[] = [];
  const fence = /(<!-- continues -->\s*)?^( *)```(\S*)[^\n]*\n([\s\S]*?)^\2```$/gm;
  for (const match of text.matchAll(fence)) {
    const [, continues, indent = "", language = "", body = ""] = match;
    const code = body.replaceAll(new RegExp(`^${indent}`, "gm"), "");
    const line = text.slice(0, match.index).split("\n").length;
    const before = samples.at(-1);
    if (continues !== undefined && before?.language === language) {
      samples[samples.length - 1] = { ...before, code: before.code + code };
    } else samples.push({ place: `${document}:${line}`, language, code });
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

/** Targets of links and images, outside of code. */
export async function linksIn(document: string): Promise<string[]> {
  const text = (await readFile(join(root, document), "utf8"))
    .replaceAll(/^ *```[\s\S]*?^ *```$/gm, "")
    .replaceAll(/`[^`\n]*`/g, "`");
  const inline = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  const html = [...text.matchAll(/(?:src|href|srcset)="([^"]+)"/g)].map(
    ([, target = ""]) => target,
  );
  return [...inline, ...html];
}

/** The anchors that GitHub gives a document's headings. */
export async function anchorsIn(document: string): Promise<Set<string>> {
  const text = (await readFile(join(root, document), "utf8")).replaceAll(/^```[\s\S]*?^```$/gm, "");
  return new Set([...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchor(heading)));
}

function anchor(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");
}
