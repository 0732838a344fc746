/** `npm create langwire [folder]`. */
import { parseArgs } from "node:util";
import { createProject } from "./create-project.ts";

const usage = `Usage: npm create langwire [folder] [-- --force]

Makes a small project on Langwire in the folder: a bot, its test, a React page.
Without one, in the current folder. One that is not empty is refused, unless
there is a --force, which overwrites files of the same names.
`;

function argumentsOrProblem() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        force: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const [folder = ".", ...more] = positionals;
    if (more.length > 0) return `One folder, please; these are more: ${more.join(", ")}`;
    return { ...values, folder };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const options = argumentsOrProblem();
if (typeof options === "string") {
  process.stderr.write(`${options}\n\n${usage}`);
  process.exitCode = 2;
} else if (options.help) process.stdout.write(usage);
else {
  try {
    process.stdout.write(await createProject(options));
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
