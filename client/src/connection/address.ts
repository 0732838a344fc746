/** The server's address, as an application without types or settings may give it. */
import { LangwireClientError } from "../errors.ts";

/** A browser's page, to which an address may be relative. */
const page = globalThis as { readonly location?: { readonly href?: string } };

export const parsedUrl = (url: string): URL => new URL(url, page.location?.href);

/** A path is not, without a page. */
export const isComplete = (url: string): boolean => URL.canParse(url, page.location?.href);

export function addressError(url: unknown): LangwireClientError {
  const message = `\`url\` must be like wss://host/trpc, not ${JSON.stringify(url)}.`;
  return new LangwireClientError({ code: "BAD_INPUT", message });
}

/**
 * A page that is rendered on a server makes its client there, and calls nothing: a path is taken there as well.
 *
 * @throws LangwireClientError BAD_INPUT that names `url` and what it is
 */
export function checkAddress(url: unknown): void {
  try {
    // `new URL` makes a text of everything: undefined would be a path.
    if (
      typeof url === "string" &&
      (url[0] === "/" || /^(ws|http)s?:$/.test(parsedUrl(url).protocol))
    )
      return;
  } catch {
    // It is told below, with what it is.
  }
  throw addressError(url);
}
