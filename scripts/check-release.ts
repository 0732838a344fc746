/**
 * Run by `npm publish` in each package, before it is packed: what is wrong with this release, if anything.
 * The changelog has to say what the version brings, under a heading with its date; and provenance, which is
 * published along, is refused by the registry for a package that does not name its repository.
 *
 *   node scripts/check-release.ts <folder of the package>
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

interface Release {
  readonly changelog: string;
  readonly version: string;
  readonly repository?: unknown;
}

export function problemsOf({ changelog, version, repository }: Release): string[] {
  const headings = changelog.split("\n").filter((line) => line.startsWith("## "));
  const own = headings.find((heading) => heading.split(" ")[1] === version);
  const problems: string[] = [];
  if (own === undefined) problems.push(`CHANGELOG.md has no heading for ${version}.`);
  else if (!/ \d{4}-\d\d-\d\d$/.test(own)) {
    problems.push(`CHANGELOG.md has no date for ${version}: "${own}".`);
  }
  if (repository === undefined) {
    problems.push("package.json names no repository, which provenance is checked against.");
  }
  return problems;
}

const [folder] = process.argv.slice(2);
if (import.meta.main && folder !== undefined) {
  const read = (path: string) => readFileSync(path, "utf8");
  const changelog = read(fileURLToPath(new URL("../CHANGELOG.md", import.meta.url)));
  const problems = problemsOf({ ...JSON.parse(read(`${folder}/package.json`)), changelog });
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
}
