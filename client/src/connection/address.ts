/** The server's address, as an application without types or settings may give it. */
import { LangwireClientError } from "../errors.ts";

/** A browser's page, to which an address may be relative. */
const page = globalThis as { readonly location?: { readonly href?: string } };

export const parsedUrl = (url: string): URL => new URL(url, page.location?.href);

/** @throws LangwireClientError BAD_INPUT that names `url` and what it is */
export function checkAddress(url: unknown): void {
  try {
    // `new URL` makes a text of everything: undefined would be a path.
    if (typeof url === "string" && /^(ws|http)s?:$/.test(parsedUrl(url).protocol)) return;
  } catch {
    // It is told below, with what it is.
  }
  const message = `\`url\` must be an address such as wss://example.com/trpc, and is ${JSON.stringify(url)}.`;
  throw new LangwireClientError({ code: "BAD_INPUT", message });
}
