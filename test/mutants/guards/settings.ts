/** What a server is started with. */
import type { Guard } from "../guard.ts";

export const settingGuards: readonly Guard[] = [
  {
    slip: "while Redis is away a run keeps its process's own slot",
    file: "src/open/shared-limits.ts",
    code: "    } catch {\n      return releaseOwn;",
    becomes: "    } catch {\n      return () => {};",
    tests: ["test/open/shared-limits.test.ts"],
  },
  {
    slip: "while Redis is away nobody begins",
    file: "src/open/shared-limits.ts",
    code: "    } catch {\n      return releaseOwn;",
    becomes: "    } catch {\n      releaseOwn();\n      return undefined;",
    tests: ["test/open/shared-limits.test.ts"],
  },
  {
    slip: "while Redis is away nobody is limited",
    file: "src/open/shared-limits.ts",
    code: "      insuranceLimiter: new RateLimiterMemory(limits),\n",
    becomes: "",
    tests: ["test/open/shared-limits.test.ts"],
  },
  {
    slip: "two that make one folder fail",
    file: "src/open/folder-lock.ts",
    code: "    if (!(await isFolder(path))) throw error;\n",
    becomes: "    throw error;\n",
    tests: ["test/open/storage-failures.test.ts"],
  },
  {
    slip: "a folder that could not be locked keeps its file open",
    file: "src/open/folder-lock.ts",
    code: "    lock?.close();\n    if (isBusy",
    becomes: "    if (isBusy",
    tests: ["test/open/storage-failures.test.ts"],
  },
  {
    slip: "events of the journal are taken back though the store has them",
    file: "src/open/open-storage.ts",
    code: "  const archived = journal && (await archivedIn(store, logBounds));\n  const log",
    becomes: "  const archived = undefined;\n  const log",
    tests: ["test/open/open-langwire.test.ts"],
  },
];
