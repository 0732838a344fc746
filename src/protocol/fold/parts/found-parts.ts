/** Sources, files and data as parts: what models, tools, searches and a bot's own code gave. */
import type { EventOf, Json } from "../../events.ts";
import type { PartOf } from "../../parts.ts";

export type Content = NonNullable<EventOf<"llmEnd">["content"]>[number];
type Source = PartOf<"source">;
type Document = NonNullable<EventOf<"retrieverEnd">["documents"]>[number];

/** Undefined for what has no part here: tools that ran at the provider, and what nobody knows. */
export function foundPart(content: Content, spanId: string): Source | PartOf<"file"> | undefined {
  switch (content.type) {
    case "source": {
      const { url, title, documentId, quote } = content;
      return sourcePart({ url, title, documentId, quote, spanId });
    }
    case "file": {
      const { kind, mimeType, bytes, url, name } = content;
      return known<PartOf<"file">>({ type: "file", kind, mimeType, bytes, url, name, spanId });
    }
    default:
      return undefined;
  }
}

/** A document that a search found. Its address and title are where LangChain's loaders put them. */
export function documentPart({ id, text, metadata }: Document, spanId: string): Source {
  const fields = typeof metadata === "object" && !Array.isArray(metadata) ? metadata : null;
  const textAt = (name: string): string | undefined => {
    const value = fields?.[name];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const places = ["url", "source", "link"].map(textAt);
  return sourcePart({
    url: places.find((place) => place !== undefined && /^https?:\/\//i.test(place)),
    title: textAt("title") ?? places.find((place) => place !== undefined),
    documentId: id,
    quote: text === "" ? undefined : text,
    spanId,
  });
}

function sourcePart(fields: Omit<Source, "type">): Source {
  const { url, title, documentId, quote, spanId } = fields;
  return known<Source>({ type: "source", url, title, documentId, quote, spanId });
}

export function dataPart(
  origin: PartOf<"data">["origin"],
  fields: { readonly name: string; readonly value: Json | undefined; readonly spanId?: string },
): PartOf<"data"> {
  const { name, value = null, spanId } = fields;
  return known<PartOf<"data">>({ type: "data", name, value, origin, spanId });
}

/** What sources must share to be one. */
export function placeOf({ url, documentId, title }: Source): string {
  return url ?? documentId ?? title ?? "";
}

/** The two of one place as one, unless they quote different things. The same object where it has all. */
export function oneSource(a: Source, b: Source): Source | undefined {
  if (a.quote !== undefined && b.quote !== undefined && a.quote !== b.quote) return undefined;
  const hasAll = Object.keys(b).every((name) => name in a);
  return hasAll ? a : { ...b, ...a };
}

/** Without the fields that are undefined: JSON has none, and parts come back from it equal. */
export function known<T extends object>(fields: T): T {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as T;
}
