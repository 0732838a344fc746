/**
 * What a message of the AI SDK is made of, by the parts of Langwire's: the same for a message that is read
 * from the history and for one that is made, whose chunks bring these blocks about.
 */
import type { UIMessage } from "ai";
import type { Part, PartOf } from "../types.ts";
import { fileOf, sourceOf } from "./found-parts.ts";

export type UiPart = UIMessage["parts"][number];

/** What became of a tool that was at work when its run ended. */
export const unfinished = "The run ended before the tool did.";

export interface ToolBlock {
  readonly kind: "tool";
  /** Unique in the message: providers give an id again in another turn. */
  readonly id: string;
  readonly of: PartOf<"tool">;
}

export type Block =
  | { readonly kind: "text" | "reasoning"; readonly text: string }
  | ToolBlock
  /** Whole from the start; of a channel of the state, with an id by which it is replaced. */
  | { readonly kind: "whole"; readonly part: WholePart };

export type WholePart = Extract<
  UiPart,
  { type: "source-url" | "source-document" | "file" | `data-${string}` }
>;

export function blocksOf(parts: readonly Part[]): Block[] {
  const blocks: Block[] = [];
  const ids = new Set<string>();
  const urls = new Set<string>();
  for (const [index, part] of parts.entries()) {
    switch (part.type) {
      case "text":
      case "reasoning":
        blocks.push({ kind: part.type, text: part.text });
        break;
      case "tool": {
        const id = unused(part.toolCallId ?? part.spanId ?? `tool ${index}`, ids);
        blocks.push({ kind: "tool", id, of: part });
        break;
      }
      case "source":
        // A page that is quoted twice is one source there.
        if (part.url !== undefined && urls.has(part.url)) break;
        if (part.url !== undefined) urls.add(part.url);
        blocks.push({ kind: "whole", part: sourceOf(part, index) });
        break;
      case "file":
        blocks.push({ kind: "whole", part: fileOf(part) });
        break;
      case "data":
        blocks.push({ kind: "whole", part: dataOf(part) });
        break;
    }
  }
  return blocks;
}

/** The block when nothing more comes. @param index its place in the message: the AI SDK keeps a reasoning's id */
export function uiPartOf(block: Block, index: number): UiPart {
  switch (block.kind) {
    case "text":
      return { type: "text", text: block.text, state: "done" };
    case "reasoning":
      return { type: "reasoning", id: String(index), text: block.text, state: "done" };
    case "tool":
      return toolPart(block);
    case "whole":
      return block.part;
  }
}

/** What the AI SDK's chunks and parts of one tool have in common. */
export function callOf({ id, of: { name } }: ToolBlock) {
  return { toolCallId: id, toolName: name, providerExecuted: true } as const;
}

/** How a tool ended, as a part and as a chunk have it; undefined while it has not. */
export function endOf({ state, output, error }: PartOf<"tool">) {
  switch (state) {
    case "done":
      return { state: "output-available", output: output ?? null } as const;
    case "failed":
      return { state: "output-error", errorText: error?.message ?? "The tool failed." } as const;
    case "stopped":
      return { state: "output-error", errorText: unfinished } as const;
    default:
      return undefined;
  }
}

function toolPart(block: ToolBlock): UiPart {
  const { input = {} } = block.of;
  const call = { type: "dynamic-tool", ...callOf(block), input } as const;
  const end = endOf(block.of) ?? ({ state: "input-available" } as const);
  switch (end.state) {
    case "output-available":
      return { ...call, ...end };
    case "output-error":
      return { ...call, ...end };
    case "input-available":
      return { ...call, ...end };
  }
}

function dataOf({ name, value: data, origin }: PartOf<"data">): WholePart {
  const type = `data-${name}` as const;
  return origin === "state" ? { type, id: `state/${name}`, data } : { type, data };
}

function unused(id: string, ids: Set<string>): string {
  let own = id;
  for (let again = 2; ids.has(own); again++) own = `${id}/${again}`;
  ids.add(own);
  return own;
}
