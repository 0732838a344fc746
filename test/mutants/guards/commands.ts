/** What the package's commands ask for, and what they write. */
import type { Guard } from "../guard.ts";

const admin = ["test/cli/admin-arguments.test.ts"];
const declaration = ["test/cli/declaration.test.ts"];

export const commandGuards: readonly Guard[] = [
  {
    slip: "a run's id is a path",
    file: "src/cli/admin/arguments.ts",
    code: "encodeURIComponent(id)}`;\n  switch",
    becomes: "id}`;\n  switch",
    tests: admin,
  },
  {
    slip: "a user's name is a path",
    file: "src/cli/admin/arguments.ts",
    code: "encodeURIComponent(id)}/delete",
    becomes: "id}/delete",
    tests: admin,
  },
  {
    slip: "prune deletes in a dry run",
    file: "src/cli/admin/arguments.ts",
    code: "dryRun: dryRun ?? false",
    becomes: "dryRun: false",
    tests: admin,
  },
  {
    slip: "an hour is a minute",
    file: "src/cli/admin/arguments.ts",
    code: "h: 60 * minuteMs,",
    becomes: "h: minuteMs,",
    tests: admin,
  },
  {
    slip: "what stands beside a command's one argument is passed over",
    file: "src/cli/admin/arguments.ts",
    code: "if (id === undefined || more.length > 0) {",
    becomes: "if (id === undefined) {",
    tests: admin,
  },
  {
    slip: "what stands beside a backup is passed over",
    file: "src/cli/admin/arguments.ts",
    code: "if (backup === undefined || more.length > 0) throw",
    becomes: "if (backup === undefined) throw",
    tests: admin,
  },
  {
    slip: "--dry-run of another command is passed over",
    file: "src/cli/admin/arguments.ts",
    code: "(age !== undefined || dryRun !== undefined)",
    becomes: "age !== undefined",
    tests: admin,
  },
  {
    slip: "a restore is done in a dry run",
    file: "src/cli/admin/arguments.ts",
    code: 'if (positionals[0] !== "prune" && (age',
    becomes: 'if (!["prune", "restore"].includes(positionals[0] ?? "") && (age',
    tests: admin,
  },
  {
    slip: "a restore always replaces",
    file: "src/cli/admin/arguments.ts",
    code: "overwrite: overwrite ?? false",
    becomes: "overwrite: overwrite ?? true",
    tests: admin,
  },
  {
    slip: "two ids make one name",
    file: "src/cli/types/declaration.ts",
    code: '  while (taken.has(name)) name += "_";\n',
    becomes: "",
    tests: declaration,
  },
  {
    slip: "what a bot takes has the name of its channel",
    file: "src/cli/types/declaration.ts",
    code: "types.print(input, uniqueName(",
    becomes: 'types.print(input, ((own: string) => own.replace(" i", "I"))(',
    tests: declaration,
  },
  {
    slip: "what a bot answers has the name of its channel",
    file: "src/cli/types/declaration.ts",
    code: "types.print(output, uniqueName(",
    becomes: 'types.print(output, ((own: string) => own.replace(" o", "O"))(',
    tests: declaration,
  },
];
