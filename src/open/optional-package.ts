/**
 * The packages that only some servers need: whoever uses what stands on one installs it too. The module
 * that imports the package is imported when it is asked for.
 */

type OptionalPackage = "pg" | "prom-client" | "redis";

/** An optional package, and the option or export that needs it. */
export interface Need {
  readonly packageName: OptionalPackage;
  readonly neededBy: string;
}

export class MissingPackageError extends Error {
  override readonly name = "MissingPackageError";
  readonly packageName: OptionalPackage;

  constructor({ packageName, neededBy }: Need, options?: ErrorOptions) {
    super(`${neededBy} needs the package ${packageName}: ${howToInstall(packageName)}`, options);
    this.packageName = packageName;
  }
}

/** @throws MissingPackageError where the module's import fails for want of the package */
export async function withPackage<Module>(need: Need, imported: Promise<Module>): Promise<Module> {
  try {
    return await imported;
  } catch (cause) {
    if (!(cause instanceof Error) || !isMissing(cause, need.packageName)) throw cause;
    throw new MissingPackageError(need, { cause });
  }
}

/** And not a package of that package's own, whose absence has another remedy. */
function isMissing(cause: Error, packageName: string): boolean {
  const notFound = "code" in cause && cause.code === "ERR_MODULE_NOT_FOUND";
  return notFound && cause.message.startsWith(`Cannot find package '${packageName}'`);
}

/** What npx runs is in a folder of its own, where another installation's packages are not found. */
function howToInstall(packageName: string): string {
  const isOfNpx = import.meta.url.includes("/_npx/");
  return isOfNpx ? `npx -p langwire -p ${packageName} langwire` : `npm i ${packageName}`;
}
