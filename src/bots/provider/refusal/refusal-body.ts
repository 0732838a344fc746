/**
 * Bodies of refusals in the one form that OpenAI's SDK reads: `{ error: { message, type, code } }`.
 * Of any other (vLLM's bare error, Gemini's list, FastAPI's `detail`, a proxy's HTML) it keeps no
 * word, and neither the code nor the operator's log could say what the provider said.
 */
import { withoutKeys } from "../../failures/secret-shapes.ts";
import { excerpt } from "../answer/broken-answer.ts";
import { isObject, type JsonObject, parsed, read, textIn } from "../unknown-json.ts";

/** Bodies beyond this are cut: what they say stands at their beginning. */
const bodyAtMost = 16 * 1024;
const messageAtMost = 1000;

/** A `fetch` whose refusals all have that form. Answers pass through untouched. */
export function normalizedRefusals(inner: typeof fetch): typeof fetch {
  return async (input, init) => {
    const response = await inner(input, init);
    if (response.status < 400) return response;
    const body = (await response.text()).slice(0, bodyAtMost);
    const { status, statusText } = response;
    const headers = new Headers(response.headers);
    for (const name of ["content-length", "content-encoding"]) headers.delete(name);
    headers.set("content-type", "application/json");
    return Response.json(
      { error: normalizedError(parsed(body) ?? body) },
      { status, statusText, headers },
    );
  };
}

/** What any body or part of one says went wrong. The words are bounded, and quote no key. */
export function normalizedError(body: unknown): JsonObject {
  const outer: unknown = Array.isArray(body) ? body[0] : body;
  const error = read(outer, "error") || outer;
  if (typeof error === "string") return { message: excerpt(plainText(error)) };
  if (!isObject(error)) return { message: excerpt(JSON.stringify(body) ?? "") };
  const normalized: Record<string, unknown> = { message: messageOf(error, outer) };
  for (const key of ["code", "type", "status", "param"]) {
    const value = error[key] ?? (key === "code" ? read(outer, key) : undefined);
    if (typeof value === "string" || typeof value === "number") normalized[key] = value;
  }
  return normalized;
}

function messageOf(error: JsonObject, outer: unknown): string {
  const { detail, errors } = error;
  const words =
    textIn(error, "message", "msg", "detail", "error_msg", "status_msg", "Message", "title") ??
    textIn(outer, "message", "detail") ??
    JSON.stringify(detail ?? errors ?? error);
  // OpenRouter's own words are "Provider returned error"; the provider's are behind them.
  const raw = textIn(error.metadata, "raw");
  const said = raw === undefined ? words : `${words}: ${raw}`;
  return withoutKeys(said.slice(0, messageAtMost));
}

/** A page says in its text what it is; its markup says nothing. */
function plainText(body: string): string {
  if (!/^\s*</.test(body)) return body;
  return withoutTags(withoutElement(withoutElement(body, "script"), "style"));
}

// Both look for each end once, by hand: where it is missing, one expression for a beginning and its end
// would look for it again from every beginning.

function withoutElement(page: string, name: string): string {
  const start = new RegExp(`<${name}\\b`, "gi");
  const end = new RegExp(`</${name}\\s*>`, "gi");
  let text = "";
  let at = 0;
  for (let found = start.exec(page); found !== null; found = start.exec(page)) {
    end.lastIndex = found.index;
    if (end.exec(page) === null) break;
    text += `${page.slice(at, found.index)} `;
    at = end.lastIndex;
    start.lastIndex = at;
  }
  return text + page.slice(at);
}

function withoutTags(page: string): string {
  let text = "";
  let at = 0;
  for (let open = page.indexOf("<"); open !== -1; open = page.indexOf("<", at)) {
    const close = page.indexOf(">", open);
    if (close === -1) break;
    text += `${page.slice(at, open)} `;
    at = close + 1;
  }
  return text + page.slice(at);
}
