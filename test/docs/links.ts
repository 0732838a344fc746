/**
 * The link check: which links of a set of documents lead nowhere. The set is a root folder and the
 * paths below it that are there for a reader, so that the same check serves the repository and what a
 * package has packed.
 */
import { readFile, stat } from "node:fs/promises";
import { dirname, join, normalize } from "node:path";
import { z } from "zod";

export interface LinkCheck {
  /** The folder that the documents and the files they point to are in. */
  readonly folder: string;
  /** Markdown files to check, relative to `folder`. */
  readonly documents: readonly string[];
  /**
   * Files, relative to `folder`, that links may lead to; the folders above them count as well. Without
   * it: whatever is on the disk.
   */
  readonly files?: readonly string[];
}

/** Broken links as `docs/bots.md: ../there.md`, one each; empty when all is well. */
export async function brokenLinks({ folder, documents, files }: LinkCheck): Promise<string[]> {
  const there = files === undefined ? undefined : withFolders(files);
  const isThere = (path: string): Promise<boolean> =>
    there === undefined
      ? stat(join(folder, path)).then(
          () => true,
          () => false,
        )
      : Promise.resolve(there.has(path.replace(/\/$/, "")));

  const broken: string[] = [];
  for (const document of documents) {
    for (const link of linksOf(await readFile(join(folder, document), "utf8"))) {
      if (/^[a-z]+:/.test(link)) {
        if (!leadsOutside(link)) broken.push(`${document}: ${link}`);
        continue;
      }
      const [path = "", anchor] = link.split("#");
      const target =
        path === "" ? document : normalize(join(dirname(document), decodeURIComponent(path)));
      const found =
        !target.startsWith("..") &&
        (await isThere(target)) &&
        (anchor === undefined || (await anchorsOf(join(folder, target))).has(anchor));
      if (!found) broken.push(`${document}: ${link}`);
    }
  }
  return broken;
}

/** https or mail, or a server on the reader's own machine. */
function leadsOutside(link: string): boolean {
  return z.url().safeParse(link).success && /^(https:|mailto:|http:\/\/127\.0\.0\.1)/.test(link);
}

function withFolders(files: readonly string[]): Set<string> {
  const all = new Set(["."]);
  for (const file of files) {
    for (let path = normalize(file); path !== "."; path = dirname(path)) all.add(path);
  }
  return all;
}

/** Targets of links and images in Markdown, outside of code. */
export function linksOf(markdown: string): string[] {
  const text = markdown.replaceAll(/^ *```[\s\S]*?^ *```$/gm, "").replaceAll(/`[^`\n]*`/g, "`");
  const inline = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  const references = [...text.matchAll(/^\[[^\]]+\]: (\S+)/gm)].map(([, target = ""]) => target);
  const html = [...text.matchAll(/(?:src|href|srcset)="([^"]+)"/g)].map(
    ([, target = ""]) => target,
  );
  return [...inline, ...references, ...html];
}

/** The anchors that GitHub gives a document's headings; a second one of the same name ends in -1. */
async function anchorsOf(path: string): Promise<Set<string>> {
  const text = (await readFile(path, "utf8")).replaceAll(/^```[\s\S]*?^```$/gm, "");
  const anchors = new Set<string>();
  for (const [, heading = ""] of text.matchAll(/^#+ (.+)$/gm)) {
    const name = anchor(heading);
    let candidate = name;
    for (let count = 1; anchors.has(candidate); count++) candidate = `${name}-${count}`;
    anchors.add(candidate);
  }
  return anchors;
}

function anchor(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");
}
