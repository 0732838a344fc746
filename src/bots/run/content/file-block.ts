/**
 * One block of a message that is an image, audio, video or another file, in LangChain's shape, in OpenAI's,
 * in Anthropic's (`source`), in Gemini's (`inlineData`) or in MCP's (`resource`).
 */
import type { EventOf } from "../../../protocol/events.ts";
import { unlessOdd } from "../unless-odd.ts";

type Content = NonNullable<EventOf<"toolEnd">["content"]>[number];
export type FileContent = Extract<Content, { type: "file" }>;
type Fields = Readonly<Record<string, unknown>>;

export interface FileBlock {
  /** Without its bytes. */
  readonly file: FileContent;
  /** As the message has them: base64, or raw. */
  readonly bytes: unknown;
}

const fileTypes: ReadonlySet<string> = new Set([
  ...["image", "image_url", "input_image", "computer_screenshot", "audio", "input_audio", "video"],
  ...["file", "input_file", "document", "media", "inlineData", "fileData"],
  ...["resource", "resource_link"],
]);

/** Undefined where the block is something else, or cannot be read. */
export function fileBlock(block: Fields): FileBlock | undefined {
  return unlessOdd(() => readFile(block));
}

function readFile(block: Fields): FileBlock | undefined {
  const type = text(block.type);
  if (type === undefined || !fileTypes.has(type)) return undefined;
  // A resource that is text is what the tool says, or shows beside it.
  if (type === "resource" && !(isFields(block.resource) && "blob" in block.resource)) {
    return undefined;
  }
  return fileOf(type, block);
}

export function fileOf(type: string, block: Fields): FileBlock {
  const inner = [
    ...[block.source, block.inlineData, block.fileData, block.image_url, block.input_audio],
    ...[block.file, block.resource],
  ];
  const fields: Fields = { ...block, ...inner.find(isFields) };
  const named = text(fields.mimeType) ?? text(fields.mime_type) ?? text(fields.media_type);
  const places = [fields.url, fields.fileUri, fields.image_url, fields.file_data, fields.uri];
  const held = fields.data ?? fields.blob;
  // Of a resource that is here itself, the address is its name at its server.
  const url =
    held === undefined ? places.map(text).find((place) => place !== undefined) : undefined;
  const inUrl = url === undefined ? null : /^data:([^;,]*)(?:;[^;,]*)*,/.exec(url);
  const bytes = inUrl === null ? held : url?.slice(inUrl[0].length);
  const mimeType = named ?? text(inUrl?.[1]) ?? formatOf(type, fields.format);
  const size = bytesIn(bytes);
  const name = nameOf(fields);
  return {
    bytes,
    file: {
      type: "file",
      kind: kindOf(type, mimeType),
      ...(mimeType && { mimeType }),
      ...(size !== undefined && { bytes: size }),
      ...(url !== undefined && inUrl === null && { url }),
      ...(name && { name }),
    },
  };
}

function formatOf(type: string, format: unknown): string | undefined {
  const isAudio = type === "input_audio" && typeof format === "string" && /^\w+$/.test(format);
  return isAudio ? `audio/${format}` : undefined;
}

function nameOf(fields: Fields): string | undefined {
  const metadata = isFields(fields.metadata) ? fields.metadata : {};
  const names = [fields.name, fields.filename, metadata.name, metadata.filename, fields.title];
  const given = [...names, metadata.title].map(text).find((name) => name !== undefined);
  return given ?? (typeof fields.blob === "string" ? lastOfPath(text(fields.uri)) : undefined);
}

/** An embedded resource of MCP's has no name but its address at its server: `cellar://bottles.csv`. */
function lastOfPath(uri: string | undefined): string | undefined {
  const last = uri?.split(/[?#]/)[0]?.split("/").at(-1);
  try {
    return text(last === undefined ? undefined : decodeURIComponent(last));
  } catch {
    return last;
  }
}

function kindOf(type: string, mimeType = ""): FileContent["kind"] {
  if (type === "computer_screenshot") return "image";
  for (const kind of ["image", "audio", "video"] as const) {
    if (type.includes(kind) || mimeType.startsWith(`${kind}/`)) return kind;
  }
  return "file";
}

function bytesIn(data: unknown): number | undefined {
  if (typeof data === "string") return Buffer.byteLength(data, "base64");
  return ArrayBuffer.isView(data) ? data.byteLength : undefined;
}

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null;

export const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;
