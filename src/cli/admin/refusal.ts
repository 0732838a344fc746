/** Why a server refused an operator's request, as a line for them. */
import { noRouteMessage } from "../../server/access/no-route.ts";

/** What of a body is worth a line, where it is none of Langwire's. */
const maxForeignCharacters = 200;

/**
 * @param body as the server sent it: an error of Langwire's in JSON, or whatever answers there
 * @param origin of the server
 */
export function refusal(status: number, body: string, origin: string): string {
  const message = messageOf(body);
  if (message === undefined) {
    const start = body.replace(/\s+/g, " ").trim().slice(0, maxForeignCharacters);
    return `What answers at ${origin} is not Langwire, or stands before it: ${status} ${start}`.trim();
  }
  if (status === 401) return `The server at ${origin} has another ADMIN_TOKEN than this one.`;
  if (status === 404 && message === noRouteMessage) {
    return `The server at ${origin} takes no admin commands: its ADMIN_TOKEN is not set.`;
  }
  return message;
}

function messageOf(body: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  const message = property(property(property(value, "error"), "json"), "message");
  return typeof message === "string" ? message : undefined;
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? new Map<string, unknown>(Object.entries(value)).get(name)
    : undefined;
}
