import { fileURLToPath } from "node:url";
import { configDefaults, defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** What takes longest, or it would be run at the end, while other workers have nothing left to do. */
const longest = ["test/guides/nextjs", "test/cluster/", "test/packages/", "test/store/postgres"];

/** Without times of its own, as in CI, Vitest begins with the largest files. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => longest.some((it) => moduleId.includes(it));
    return (await super.sort(files)).sort((a, b) => Number(isLong(b)) - Number(isLong(a)));
  }
}

/** Generous: a busy machine is slow, and what hangs is found by its own limits. */
export const limits = {
  testTimeout: 120_000,
  hookTimeout: 120_000,
  expect: { poll: { timeout: 30_000 } },
};

export default defineConfig({
  resolve: {
    // What `--conditions=langwire-source` does for Node: examples import the packages by name.
    alias: [
      { find: /^langwire$/, replacement: here("src/index.ts") },
      { find: /^langwire\/testing$/, replacement: here("src/testing/index.ts") },
      { find: /^langwire\/metrics$/, replacement: here("src/server/metrics/metrics.ts") },
      { find: /^langwire-client$/, replacement: here("client/src/index.ts") },
      { find: /^langwire-client\/react$/, replacement: here("client/src/react/index.ts") },
      {
        find: /^langwire-client\/fold$/,
        replacement: here("client/generated/fold/run-fold.js"),
      },
      { find: /^langwire-client\/ai-sdk$/, replacement: here("client/src/ai-sdk/index.ts") },
    ],
  },
  test: {
    include: ["test/**/*.test.ts", "examples/**/*.test.ts", "create/template/*.test.ts"],
    // Copies of the tests, while `npm run test:mutants` is at work.
    exclude: [...configDefaults.exclude, "test/mutants/.sandbox*/**"],
    reporters: ["default", "./test/faults/fault-table.ts"],
    // Bots fail in many tests, and without an observer that is said on the console.
    silent: "passed-only",
    ...limits,
    sequence: { sequencer: LongestFirst },
    typecheck: { enabled: true, include: ["test/**/*.test-d.ts"], tsconfig: "tsconfig.json" },
  },
});
