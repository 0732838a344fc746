/** Addresses that a bot, a tool or a web page gave: what the page makes of them. */

/** Undefined unless it leads to a web page, and to nothing that runs in this one. */
export function webAddress(url: string | undefined): URL | undefined {
  if (url === undefined || !URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  return parsed.protocol === "https:" || parsed.protocol === "http:" ? parsed : undefined;
}

/** Whether the address holds a picture itself. One that is elsewhere would tell that it was looked at. */
export function isPicture(url: string | undefined): url is string {
  return url !== undefined && /^data:image\/(?:png|jpeg|gif|webp|avif);base64,/.test(url);
}

/** Whether the address holds a file itself, to be saved and never opened here. */
export function isHeldFile(url: string | undefined): url is string {
  return url?.startsWith("data:") === true;
}
