/**
 * A call's input: revived from superjson's form, and for a subscription that goes on, with tRPC's
 * `lastEventId` in it.
 *
 * Not all is revived that superjson could, since it could be abused. Inputs are flat objects: their
 * fields are plain values or short lists of them, but for a typed bot's `input`, which is any JSON. All
 * that a stock client's superjson ever marks in them is a field that is `undefined`: that is left out.
 * Dates, regular expressions, big integers and classes are not revived.
 */
import { eventTypes } from "../../protocol/events.ts";

/** Stands for an input that was refused: no schema accepts it, so the request is answered BAD_INPUT. */
export const unacceptable = Symbol("unacceptable input");

/** The one field that may hold any JSON. */
const nestedField = "input";

const maxFields = 32;
/** Fields that are undefined somewhere in a typed bot's input, as superjson counts them one by one. */
const maxMarks = 1_000;
/** The only list in any input is one of event types. */
const maxListLength = eventTypes.length;

/** @returns the plain value, or `unacceptable`; never throws, which would fail a whole frame */
export function reviveInput(payload: unknown): unknown {
  if (payload === undefined) return undefined;
  if (!isRecord(payload)) return unacceptable;
  const { json, meta } = payload;
  const undefinedFields = markedUndefined(meta);
  if (undefinedFields === undefined) return unacceptable;
  if (undefinedFields === "whole") return undefined;
  if (json === undefined || json === null) return json;
  if (!isRecord(json)) return unacceptable;
  if (Object.keys(json).length > maxFields) return unacceptable;
  const fields = Object.entries(json);
  if (!fields.every(([key, value]) => key === nestedField || isFlat(value))) return unacceptable;
  for (const path of undefinedFields) {
    const [field, ...within] = stepsOf(path);
    if (field === nestedField) leaveOut(json[field], within);
  }
  // Object.fromEntries defines fields, so that one called `__proto__` is a field like any other.
  return Object.fromEntries(fields.filter(([key]) => !undefinedFields.has(key)));
}

/** The input for a subscription's schema, with tRPC's `lastEventId` as one of its fields. */
export function resumedInput(input: unknown, lastEventId: string | undefined): unknown {
  if (lastEventId === undefined) return input;
  if (input === undefined || input === null) return { lastEventId };
  return typeof input === "object" ? { ...input, lastEventId } : input;
}

/** The names of the fields that superjson's marks call undefined; undefined for other marks. */
function markedUndefined(meta: unknown): ReadonlySet<string> | "whole" | undefined {
  const none = new Set<string>();
  if (meta === undefined) return none;
  if (!isRecord(meta)) return undefined;
  const { values } = meta;
  if (values === undefined) return none;
  if (isUndefinedMark(values)) return "whole";
  if (!isRecord(values)) return undefined;
  if (Object.keys(values).length > maxMarks) return undefined;
  const marks = Object.entries(values);
  const good = marks.every(([, mark]) => isUndefinedMark(mark));
  return good ? new Set(marks.map(([key]) => key)) : undefined;
}

/** superjson's path: names joined by dots; a backslash stands before a dot or a backslash of a name. */
function stepsOf(path: string): string[] {
  const steps = [""];
  for (let at = 0; at < path.length; at++) {
    const character = path.charAt(at);
    if (character === ".") steps.push("");
    else steps[steps.length - 1] += character === "\\" ? path.charAt(++at) : character;
  }
  return steps;
}

/** An undefined field, which superjson writes as null. In a list there is none to leave out: it stays null. */
function leaveOut(value: unknown, path: readonly string[]): void {
  const [key, ...deeper] = path;
  if (key === undefined || typeof value !== "object" || value === null) return;
  if (!Object.hasOwn(value, key)) return;
  if (deeper.length > 0) leaveOut(Reflect.get(value, key), deeper);
  else if (!Array.isArray(value) && Reflect.get(value, key) === null)
    Reflect.deleteProperty(value, key);
}

function isUndefinedMark(mark: unknown): boolean {
  return Array.isArray(mark) && mark.length === 1 && mark[0] === "undefined";
}

function isFlat(value: unknown): boolean {
  return Array.isArray(value)
    ? value.length <= maxListLength && value.every(isPlain)
    : isPlain(value);
}

function isPlain(value: unknown): boolean {
  return typeof value !== "object" || value === null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
