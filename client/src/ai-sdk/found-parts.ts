/** Sources and files as the AI SDK's parts. */
import type { PartOf } from "../types.ts";
import type { WholePart } from "./blocks.ts";

export function sourceOf(source: PartOf<"source">, index: number): WholePart {
  const { url, documentId, quote } = source;
  const known = quote === undefined ? {} : { providerMetadata: { langwire: { quote } } };
  const title = source.title === undefined ? {} : { title: source.title };
  if (url !== undefined) return { type: "source-url", sourceId: url, url, ...title, ...known };
  const sourceId = documentId ?? `source ${index}`;
  const named = { title: source.title ?? documentId ?? "Document" };
  return { type: "source-document", sourceId, mediaType: "text/plain", ...named, ...known };
}

/** Of a file of which the server has no address, what is known of it. */
export function fileOf({ url, mimeType, kind, bytes, name }: PartOf<"file">): WholePart {
  if (url === undefined) return { type: "data-file", data: { kind, mimeType, bytes, name } };
  const mediaType = mimeType ?? (kind === "file" ? "application/octet-stream" : `${kind}/*`);
  return { type: "file", mediaType, url };
}
