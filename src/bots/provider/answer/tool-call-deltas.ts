/**
 * The tool calls of one answer, normalized: each piece says by its index to which call it belongs,
 * and the first one has the name and an id. Servers leave ids and indices out, repeat them, repeat
 * names, or give arguments as an object; LangChain then loses calls, or glues two into one.
 */
import { parsePartialJson } from "@langchain/core/output_parsers";
import { isObject, parsed, read } from "../unknown-json.ts";
import { BrokenAnswer } from "./broken-answer.ts";

export interface ToolCallDelta {
  readonly index: number;
  readonly id?: string;
  readonly type: "function";
  readonly function: { readonly name?: string; readonly arguments: string };
}

export interface WholeCall {
  readonly id: string;
  readonly name: string;
  /** The text of an object. */
  readonly args: string;
}

interface Call {
  readonly index: number;
  readonly id: string;
  name: string;
  args: string;
  readonly givenId: string | undefined;
  readonly givenIndex: number | undefined;
  /** Arguments that are not shown before their end, when they turn out to be in quotes. */
  held: boolean;
}

interface Piece {
  readonly id: string | undefined;
  readonly index: number | undefined;
  readonly name: string | undefined;
  readonly args: string;
}

export class ToolCallDeltas {
  readonly #calls: Call[] = [];

  get count(): number {
    return this.#calls.length;
  }

  /** @param given `tool_calls` of a delta or a message, or one `function_call` in a list */
  read(given: readonly unknown[]): ToolCallDelta[] {
    const several = given.length > 1;
    return given.map((one, at) => {
      const piece = pieceOf(one, several ? at : undefined);
      const call = this.#callOf(piece);
      return call === undefined ? this.#begin(piece) : this.#goOn(call, piece);
    });
  }

  /** At the end: what was held back, because it has to be put right. Throws what `whole` throws. */
  end(wasCut: boolean): ToolCallDelta[] {
    const whole = this.whole(wasCut);
    return this.#calls
      .filter((call) => call.held || call.args === "")
      .map((call) => delta(call, { arguments: whole[call.index]?.args ?? "" }));
  }

  /**
   * The calls at the end of the answer.
   * @param wasCut whether it ended for its length, so that the last arguments may be half
   * @throws BrokenAnswer for a call that nobody could carry out
   */
  whole(wasCut: boolean): WholeCall[] {
    return this.#calls.map(({ id, name, args: given, held }) => {
      if (name === "") throw new BrokenAnswer("The model called a tool without a name.");
      const args = wholeArguments(held ? given.replace(nothingBefore, "") : given, wasCut);
      if (args !== undefined) return { id, name, args };
      const what = wasCut ? "were cut off for their length" : "are no JSON";
      throw new BrokenAnswer(`The model called ${name} with arguments that ${what}.`, {
        said: given,
      });
    });
  }

  #begin({ id, index, name = "", args }: Piece): ToolCallDelta {
    const isTaken = id === undefined || this.#calls.some((call) => call.id === id);
    const call: Call = {
      index: this.#calls.length,
      id: isTaken ? newId() : id,
      name,
      args,
      givenId: id,
      givenIndex: index,
      held: isHeld(args),
    };
    this.#calls.push(call);
    return { ...delta(call, { name, arguments: call.held ? "" : args }), id: call.id };
  }

  #goOn(call: Call, { name, args }: Piece): ToolCallDelta {
    const more = name === undefined ? "" : moreOfName(call, name);
    call.name += more;
    // Some say the whole call again when it is complete.
    const isRepeated = args.trim() !== "" && args.trim() === call.args.trim() && isWhole(args);
    const added = isRepeated ? "" : args;
    if (call.args === "") call.held = isHeld(added);
    if (call.held && isNothing(call.args) && /^\s*\{/.test(added)) call.args = added;
    else call.args += added;
    // LangChain takes the last name that is given, not all of them together.
    const named = more !== "" && { name: call.name };
    return delta(call, { ...named, arguments: call.held ? "" : added });
  }

  /** The call that a piece goes on with; undefined where it begins another. */
  #callOf({ id, index, name }: Piece): Call | undefined {
    const last = this.#calls.at(-1);
    const there =
      index === undefined ? last : this.#calls.findLast((call) => call.givenIndex === index);
    if (id !== undefined) {
      const same = this.#calls.findLast((call) => call.givenId === id);
      if (same !== undefined) {
        const elsewhere = index !== undefined && same.givenIndex !== index;
        return elsewhere && name !== undefined ? undefined : same;
      }
      // An id that comes late, or another one with every piece.
      if (name === undefined) return there ?? last;
      const isLate = there?.givenId === undefined && there?.args === "" && there.name === name;
      return isLate ? there : undefined;
    }
    if (name === undefined) return there ?? last;
    if (there === undefined) return undefined;
    if (there.args === "") return index === undefined ? undefined : there;
    if (isNothing(there.args) && index !== undefined && there.name === name) return there;
    // A name again, with neither id nor another index: the next call, or the same one's next piece.
    return isWhole(there.args) ? undefined : there;
  }
}

function pieceOf(given: unknown, position: number | undefined): Piece {
  const named = read(given, "function") ?? given;
  const id = read(given, "id");
  const index = Number(read(given, "index") ?? Number.NaN);
  const name = read(named, "name");
  return {
    id: id === undefined || id === null || id === "" ? undefined : String(id),
    index: Number.isInteger(index) && index >= 0 ? index : position,
    name: typeof name === "string" && name !== "" ? name : undefined,
    args: argumentsIn(read(named, "arguments") ?? read(named, "input")),
  };
}

function argumentsIn(given: unknown): string {
  if (typeof given === "string") return given;
  if (given === undefined || given === null) return "";
  // Languages without types have one empty value for lists and objects.
  return Array.isArray(given) && given.length === 0 ? "{}" : JSON.stringify(given);
}

function delta(call: Call, fields: ToolCallDelta["function"]): ToolCallDelta {
  return { index: call.index, type: "function", function: fields };
}

/** A name comes whole, in pieces, again, or longer each time. */
function moreOfName(call: Call, name: string): string {
  if (name.startsWith(call.name)) return name.slice(call.name.length);
  return call.args === "" ? name : "";
}

/** An object in quotes, or nothing, behind which the arguments may still come: known at the end only. */
const isHeld = (args: string): boolean => /^\s*(["n]|\{\s*\})/.test(args);

/** What servers write for arguments before they have any. */
const nothingBefore = /^\s*(\{\s*\}|null|"")\s*(?=\{)/;
const isNothing = (args: string): boolean => /^\s*(\{\s*\}|null|"")\s*$/.test(args);

const isWhole = (args: string): boolean => isObject(parsed(args));

/** What the arguments say, as the text of an object; undefined where they say none. */
function wholeArguments(args: string, wasCut: boolean): string | undefined {
  if (args.trim() === "") return wasCut ? undefined : "{}";
  const value = parsed(args);
  if (value === null) return "{}";
  if (typeof value === "string") return wholeArguments(value, wasCut);
  if (isObject(value)) return args;
  // LangChain reads line breaks inside of strings, but also what is only the beginning of an object.
  if (value !== undefined || wasCut || !args.trimEnd().endsWith("}")) return undefined;
  try {
    const lenient: unknown = parsePartialJson(args);
    return isObject(lenient) ? JSON.stringify(lenient) : undefined;
  } catch {
    return undefined;
  }
}

/** Nine letters and digits: what every provider takes back, Mistral nothing else. */
function newId(): string {
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789";
  return Array.from(crypto.getRandomValues(new Uint8Array(9)), (byte) => letters[byte % 36]).join(
    "",
  );
}
