/**
 * A program's TypeScript as JavaScript, by the engine that Node.js strips types with. Unlike Node.js by
 * itself it also takes what is more than types (enums, namespaces, parameter properties), and leaves out
 * imports of which only the type is used: as every bundler does, and as LangGraph's templates are written.
 */
import { readFileSync } from "node:fs";
import { transformSync } from "amaro";

const extension = /\.[mc]?tsx?$/;

export const isTypeScript = (file: string): boolean => extension.test(file);

/**
 * With a source map, by which stacks name the lines that were written.
 * @throws SyntaxError that names the place
 */
export function javascriptOf(file: string): string {
  const options = {
    mode: "transform",
    sourceMap: true,
    filename: file,
    transform: { verbatimModuleSyntax: false },
  } as const;
  try {
    const { code, map = "" } = transformSync(readFileSync(file, "utf8"), options);
    const encoded = Buffer.from(map).toString("base64");
    return `${code}\n//# sourceMappingURL=data:application/json;base64,${encoded}\n`;
  } catch (cause) {
    throw located(file, cause);
  }
}

/** Whether it has decorators, which nothing here turns into JavaScript. */
export const hasDecorators = (javascript: string): boolean =>
  /^[ \t]*@[A-Za-z_$]/m.test(javascript);

/** Of the engine: a plain object. */
interface Problem {
  readonly message: string;
  readonly startLine?: number;
  readonly startColumn?: number;
  readonly snippet?: string;
}

function located(file: string, cause: unknown): unknown {
  if (!isProblem(cause)) return cause;
  const { message, startLine, startColumn, snippet = "" } = cause;
  const place = startLine === undefined ? file : `${file}:${startLine}:${(startColumn ?? 0) + 1}`;
  const hint = file.endsWith("x")
    ? " (JSX is not among what a program of bots can be made of)"
    : "";
  const error = new SyntaxError(
    `${message}${hint}\n    at ${place}\n${snippet.trimEnd()}`.trimEnd(),
  );
  // Its own would be of this file.
  error.stack = `SyntaxError: ${error.message}`;
  return error;
}

const isProblem = (cause: unknown): cause is Problem =>
  typeof cause === "object" &&
  cause !== null &&
  "message" in cause &&
  typeof cause.message === "string" &&
  !(cause instanceof Error);
