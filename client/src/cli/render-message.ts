/** Messages as the history has them, as lines on a terminal. */
import { partsOfMessage } from "../message-parts.ts";
import type { Message, Part, PartOf } from "../types.ts";
import { type Paint, payload, printable } from "./styles.ts";

export function renderMessage(message: Message, paint: Paint): string {
  const { role, userId, status, error, output } = message;
  const parts = partsOfMessage(message);
  const lines =
    role === "human"
      ? [paint("bold", `${printable(userId ?? "somebody")}:`), ...parts.map(givenLine)]
      : [
          ...parts.flatMap((part) => partLines(part, paint)),
          ...sourceLines(parts, paint),
          ...(output === undefined
            ? []
            : [paint("cyan", printable(JSON.stringify(output, null, 2)))]),
        ];
  if (error !== undefined) lines.push(paint("red", printable(`${error.code}: ${error.message}`)));
  if (status === "cancelled") lines.push(paint("yellow", "Cancelled."));
  return lines.map((line) => `${line}\n`).join("");
}

/** What an answer rests on, numbered. */
export function sourceLines(parts: readonly Part[], paint: Paint): string[] {
  const places = parts.flatMap((part) => (part.type === "source" ? [placeOf(part)] : []));
  const named = [...new Set(places)].filter((place) => place !== "");
  return named.map((place, index) => paint("dim", printable(`[${index + 1}] ${place}`)));
}

export function fileLine({ kind, name, mimeType, bytes, url }: PartOf<"file">): string {
  const where = url === undefined || url.startsWith("data:") ? undefined : url;
  const size = bytes === undefined ? undefined : `${bytes} bytes`;
  const facts = [name, mimeType, size, where].filter((fact) => fact !== undefined);
  return `A file (${kind})${facts.length === 0 ? "" : `: ${facts.join(", ")}`}`;
}

function partLines(part: Part, paint: Paint): string[] {
  switch (part.type) {
    case "text":
      return [paint(part.final ? "cyan" : "dim", printable(part.text))];
    case "reasoning":
      return [paint("dim", printable(part.text))];
    case "tool":
      return toolLines(part).map((line) => paint("yellow", printable(line)));
    case "file":
      return [paint("dim", printable(fileLine(part)))];
    case "data":
      return [paint("dim", printable(`${part.name}${payload(part.value)}`))];
    default:
      // Sources come last; a newer server may have parts that this client has not learnt.
      return [];
  }
}

function toolLines({ name, state, inputText, input, output, error }: PartOf<"tool">): string[] {
  const called = `Tool ${name}${payload(input ?? inputText)}`;
  switch (state) {
    case "done":
      return [called, `Tool finished${payload(output)}`];
    case "failed":
      return [called, `Tool failed${payload(error?.message)}`];
    case "stopped":
      return [called, "The run ended before the tool did."];
    default:
      return [called];
  }
}

function givenLine(part: Part): string {
  if (part.type === "data") return printable(JSON.stringify(part.value));
  return "text" in part ? printable(part.text) : "";
}

function placeOf({ title, url, documentId }: PartOf<"source">): string {
  const named = [title, url].filter((name) => name !== undefined).join(" ");
  return named === "" ? (documentId ?? "") : named;
}
