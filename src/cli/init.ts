/** `langwire init`: a project by create-langwire, the package that `npm create langwire` brings alone. */

interface ProjectOptions {
  readonly folder: string;
  readonly force: boolean;
}

interface ProjectMaker {
  /** @returns what to do next */
  createProject(options: ProjectOptions): Promise<string>;
}

/** Not by its name alone: it is not compiled together with this package. */
const maker = "create-langwire";

export async function init(options: ProjectOptions): Promise<void> {
  const { createProject }: ProjectMaker = await import(maker);
  process.stdout.write(await createProject(options));
}
