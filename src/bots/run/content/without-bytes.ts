/** A message's content without the bytes of its files: `toolEnd` has them once, and nothing else does. */
import { fileBlock, isFields } from "./file-block.ts";

/** The content, its files named by kind, type and size where they hold their bytes. */
export function withoutBytes(content: unknown): unknown {
  return Array.isArray(content) ? content.map(namedFile) : content;
}

function namedFile(block: unknown): unknown {
  const found = isFields(block) ? fileBlock(block) : undefined;
  if (found?.file.bytes === undefined) return block;
  const { kind, mimeType, bytes, name } = found.file;
  return { type: kind, mimeType, bytes, name };
}
