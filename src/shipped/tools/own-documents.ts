/** What Langwire's agent and local model know: its own documents, read once, when first asked. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { aboutLangwire } from "./about-langwire.ts";
import { DocumentSearch } from "./document-search.ts";

let search: DocumentSearch | undefined;

export function ownDocuments(): DocumentSearch {
  search ??= new DocumentSearch([
    { name: "About Langwire", markdown: aboutLangwire },
    ...markdownAt(packageRoot()),
  ]);
  return search;
}

/** The nearest folder above with a package.json: the same from the sources and when compiled. */
function packageRoot(): string | undefined {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, "package.json"))) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}

function markdownAt(root: string | undefined): { name: string; markdown: string }[] {
  if (root === undefined) return [];
  const docs = join(root, "docs");
  const inDocs = existsSync(docs) ? readdirSync(docs).map((name) => join("docs", name)) : [];
  return ["README.md", "ARCHITECTURE.md", "PROTOCOL.md", ...inDocs]
    .filter((name) => name.endsWith(".md") && existsSync(join(root, name)))
    .map((name) => ({ name, markdown: readFileSync(join(root, name), "utf8") }));
}
