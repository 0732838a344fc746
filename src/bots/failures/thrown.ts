/**
 * What a bot's code threw, as a text for whoever corrects it: name and message, the first line of the
 * stack that is the developer's own, and the same of what caused it.
 *
 *   TypeError: Cannot read properties of undefined (reading 'city')
 *       at weather (bots.ts:12:9)
 *   caused by Error: connect ECONNREFUSED 127.0.0.1:11434
 *
 * Such a text is for logs and development, never for callers in production. What providers and parsers
 * say quotes prompts and answers; `describeUnquoted` leaves that out. Bots throw what cannot be read, too,
 * so nothing in here throws.
 */
import { relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { type ErrorCode, errorTable, LangwireError } from "../../protocol/errors.ts";
import { read, textIn } from "../provider/unknown-json.ts";
import { cutText } from "../run/payload.ts";
import { withoutKeys } from "./secret-shapes.ts";
import { ToolNotRun } from "./tool-not-run.ts";

const messageAtMost = 1_000;
/** Of a message: a key that is cut in two is none any more by its shape. */
const readAtMost = 4 * messageAtMost;
const textAtMost = 4_000;
const causesAtMost = 8;
/** Of the errors that an AggregateError holds. */
const errorsAtMost = 5;

/** Langwire's own files: the folder of the sources, or of what is compiled from them. */
const langwireDir = fileURLToPath(new URL("../../", import.meta.url));

export function describeThrown(thrown: unknown): string {
  return describe(thrown, { words: messageOf, quotes: true });
}

/** The same for a log that is to hold no prompts and no answers. @param code what the failure was named */
export function describeUnquoted(thrown: unknown, code: ErrorCode | undefined): string {
  const isProviders = code !== undefined && isOfProvider(code);
  const words: Words = (error) => {
    // What the operating system refused is said by Node, and the same whatever was asked.
    if (typeof read(error, "syscall") === "string") return messageOf(error);
    return isProviders || quotes(error) ? undefined : messageOf(error);
  };
  return describe(thrown, { words, quotes: !isProviders });
}

/** LangChain's own errors of parsing, and of a tool's call, which have the text and the arguments in them. */
function quotes(error: object): boolean {
  const isOfCall = read(error, "~brand") === "ToolInvocationError";
  return isOfCall || error instanceof ToolNotRun || read(error, "lc_error_code") !== undefined;
}

/** What a model's provider says of a request may repeat it. */
const ofProviders: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "MODEL_RATE_LIMIT",
  "MODEL_AUTHENTICATION",
  "MODEL_NOT_FOUND",
  "CONTEXT_OVERFLOW",
  "PROVIDER_TIMEOUT",
  "PROVIDER_ERROR",
  "PROVIDER_REJECTED",
]);

/** Whether it was the model's provider that failed. */
export const isOfProvider = (code: ErrorCode): boolean => ofProviders.has(code);

/** The words of an error, where they are to be shown. */
type Words = (error: object) => string | undefined;

const messageOf: Words = (error) => textIn(error, "message")?.trim();

function describe(thrown: unknown, how: Omit<Describing, "seen">): string {
  try {
    return cutText(linesOf(thrown, { ...how, seen: new Set() }).join("\n"), textAtMost);
  } catch {
    return unreadable;
  }
}

/** The lines of a stack, without what stands before them: the message, of any number of lines. */
export function stackFrames(error: object): string[] {
  const stack = textIn(error, "stack") ?? "";
  const message = textIn(error, "message") ?? "";
  const start = stack.indexOf(message);
  const frames = start === -1 ? stack : stack.slice(start + message.length);
  return frames
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim());
}

const unreadable = "What was thrown cannot be read.";

interface Describing {
  readonly words: Words;
  /** Whether values that are no errors are shown: they may be prompts, or hold them. */
  readonly quotes: boolean;
  readonly seen: Set<object>;
}

function linesOf(thrown: unknown, describing: Describing): string[] {
  const { seen, quotes } = describing;
  if (typeof thrown !== "object" || thrown === null) {
    return [`${quotes ? cut(inspect(thrown)) : `a ${typeof thrown}`} was thrown`];
  }
  if (seen.has(thrown) || seen.size >= causesAtMost * errorsAtMost) return [];
  seen.add(thrown);
  const cause = read(thrown, "cause") ?? read(thrown, "toolError");
  const caused = cause === undefined || cause === null ? [] : linesOf(cause, describing);
  // Our own wrapper says no more than the code does.
  if (caused.length > 0 && isPlainWrapper(thrown)) return caused;
  const own = ownFrame(thrown);
  return [
    headOf(thrown, describing),
    ...(own === undefined ? [] : [`    at ${own}`]),
    ...errorsIn(thrown).flatMap((one) => linesOf(one, describing).map(listed)),
    ...caused.map((line, index) => (index === 0 ? `caused by ${line}` : line)),
  ];
}

const listed = (line: string, index: number): string => `${index === 0 ? "  - " : "    "}${line}`;

function isPlainWrapper(error: object): boolean {
  return error instanceof LangwireError && error.message === errorTable[error.code]?.meaning;
}

function headOf(thrown: object, { words, quotes }: Describing): string {
  if (!(thrown instanceof Error) && messageOf(thrown) === undefined) {
    if (!quotes) return "an object that is no Error was thrown";
    return `${cut(inspect(thrown, { depth: 1, getters: false }))} was thrown`;
  }
  const name = cut(textIn(thrown, "name") ?? "Error");
  const message = words(thrown);
  const facts = [read(thrown, "status"), read(thrown, "code")].filter(
    (fact) => (typeof fact === "string" && fact !== "") || typeof fact === "number",
  );
  const unsaid = [...new Set(facts.map(String))].filter((fact) => message?.includes(fact) !== true);
  const label = unsaid.length === 0 ? name : `${name} (${unsaid.map(cut).join(", ")})`;
  // Where several addresses were tried, Node's error has a code and no message.
  return message === undefined ? label : `${label}: ${cut(message)}`;
}

function errorsIn(thrown: object): readonly unknown[] {
  const errors = read(thrown, "errors");
  return thrown instanceof AggregateError && Array.isArray(errors)
    ? errors.slice(0, errorsAtMost)
    : [];
}

/** Whatever else it says, no key: a program may have its keys from where nobody knows them. */
const cut = (text: string): string =>
  cutText(withoutKeys(cutText(text, readAtMost)), messageAtMost);

/** The first place in the stack that is in no package, not Node's and not Langwire's. */
function ownFrame(error: object): string | undefined {
  for (const frame of stackFrames(error)) {
    const [, caller, place = ""] = /^at (?:async )?(?:(.*) \()?(.+:\d+:\d+)\)?$/.exec(frame) ?? [];
    const own = ownPlace(place);
    if (own !== undefined) return caller === undefined ? own : `${caller} (${own})`;
  }
  return undefined;
}

/** @param place such as `file:///app/bots.ts?v=2:12:9`, or with a path in place of the address */
function ownPlace(place: string): string | undefined {
  const [, file = "", position = ""] = /^(.+?)(?:\?[^:]*)?(:\d+:\d+)$/.exec(place) ?? [];
  const path = file.startsWith("file:") ? fileURLToPath(file) : file;
  const isFile = path.includes(sep) || path.includes("/");
  if (!isFile || path.startsWith("node:") || /[\\/]node_modules[\\/]/.test(path)) return undefined;
  if (path.startsWith(langwireDir)) return undefined;
  const fromHere = relative(process.cwd(), path);
  return `${fromHere.startsWith("..") ? path : fromHere}${position}`;
}
