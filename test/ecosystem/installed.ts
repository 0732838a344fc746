import { withOwnInstall } from "../support/own-install.ts";

/** Registers the tests of a module that imports LangChain's other packages. */
export function withEcosystem(what: string, load: () => Promise<unknown>): Promise<void> {
  return withOwnInstall("ecosystem", what, load);
}
