/**
 * What a tool returned, as `toolEnd` has it: `output`, what it told the model; `artifact`, what it gave for
 * a page and not for the model; `content`, its images, audio and files whole, and its sources.
 *
 * A file goes out as a `data:` URL. Files of more than `fileBytes`, and those for which the run's files leave
 * no room, are named, without their bytes: a run does not end for a picture.
 */
import { isToolMessage, type ToolMessage } from "@langchain/core/messages";
import type { EventOf, Json } from "../../../protocol/events.ts";
import { artifactOf, cutText, PayloadBudget, payloadLimits, toPayload } from "../payload.ts";
import { ownMessage, returnedBy } from "../span-payloads.ts";
import { unlessOdd } from "../unless-odd.ts";
import { documentSources } from "./document-sources.ts";
import { type FileBlock, type FileContent, fileBlock, isFields } from "./file-block.ts";

/** Of one file, decoded. */
const fileBytes = 1024 * 1024;

/** Of a run's files together, as URLs. */
const defaultFileCharacters = 2 * 1024 * 1024;

type Content = NonNullable<EventOf<"toolEnd">["content"]>;

export interface ToolResult {
  readonly output?: Json;
  readonly artifact?: Json;
  readonly content?: Content;
}

export class ToolResults {
  /** Characters that the run's files may still come to. */
  #room: number;

  constructor(options: { readonly maxFileCharacters: number | undefined }) {
    this.#room = options.maxFileCharacters ?? defaultFileCharacters;
  }

  /** @param output of LangChain's callback; what of it cannot be read is left out */
  of(output: unknown, toolCallId: string | undefined): ToolResult {
    const message = unlessOdd(() => ownMessage(output, toolCallId));
    const returned = unlessOdd(() => returnedBy(output, message));
    const artifact = unlessOdd(() => message && artifactOf(message).artifact);
    const content = this.#content(unlessOdd(() => blocksOf(message ?? output)) ?? [], artifact);
    return {
      ...(returned !== undefined && { output: toPayload(returned) }),
      ...(artifact !== undefined && { artifact: toPayload(artifact) }),
      ...(content.length > 0 && { content }),
    };
  }

  #content(blocks: readonly unknown[], artifact: unknown): Content {
    const others = unlessOdd(() => (Array.isArray(artifact) ? [...artifact] : [artifact])) ?? [];
    const files = [...blocks, ...others].flatMap((block) => {
      const found = isFields(block) ? fileBlock(block) : undefined;
      return found === undefined ? [] : [this.#file(found)];
    });
    const sources = unlessOdd(() => documentSources(artifact, new PayloadBudget())) ?? [];
    const all = [...files, ...sources];
    const over = all.length - payloadLimits.items;
    if (over <= 0) return all;
    return [...all.slice(0, -over), { type: "other", name: `…[cut: ${over} items]` }];
  }

  #file({ file, bytes }: FileBlock): FileContent {
    const { url: address, ...named } = file;
    if (address !== undefined) {
      return /^https?:\/\//i.test(address) ? file : named;
    }
    if (file.bytes === undefined || file.bytes > fileBytes) return named;
    const data = base64Of(bytes);
    if (data === undefined) return named;
    const url = `data:${mimeTypeOf(file)};base64,${data}`;
    if (url.length > this.#room) return named;
    this.#room -= url.length;
    return { ...named, url };
  }
}

/** The content of a message; of a tool that was called without an id, what it returned. */
function blocksOf(output: unknown): readonly unknown[] {
  if (isToolMessage(output)) return hasFailed(output) ? [] : blocksOf(output.content);
  return Array.isArray(output) ? output : [];
}

/** Where it failed, the content is its error's. */
const hasFailed = ({ status }: ToolMessage): boolean => status === "error";

function base64Of(bytes: unknown): string | undefined {
  if (ArrayBuffer.isView(bytes)) {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  }
  return typeof bytes === "string" && /^[\w+/-]+={0,2}$/.test(bytes) ? bytes : undefined;
}

/** In a URL, another one's parameters would be read as its own. */
function mimeTypeOf({ mimeType = "" }: FileContent): string {
  const isOne = /^[\w.+-]+\/[\w.+-]+$/.test(mimeType);
  return isOne ? cutText(mimeType, payloadLimits.nameCharacters) : "application/octet-stream";
}
