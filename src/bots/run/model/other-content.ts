/**
 * What a model gave that is neither text nor reasoning nor a call of the bot's own tools, and that a
 * person can see: images, audio, files, sources, tools that ran at the provider. It is named on the
 * wire, so that nothing is dropped without a trace; bytes stay on the server.
 */
import type { BaseMessage } from "@langchain/core/messages";
import type { EventOf } from "../../../protocol/events.ts";
import { fileOf, isFields, text } from "../content/file-block.ts";
import { PayloadBudget, payloadLimits } from "../payload.ts";
import { unlessOdd } from "../unless-odd.ts";

type Content = NonNullable<EventOf<"llmEnd">["content"]>[number];
type Fields = Readonly<Record<string, unknown>>;

/** What was found so far; what tools at the provider took and gave is bounded together. */
class Found {
  readonly #items: Content[] = [];
  readonly #budget = new PayloadBudget();

  push(item: Content): void {
    this.#items.push(item);
  }

  tool(name: string, options: { readonly id?: string | undefined; readonly data: unknown }): void {
    const { id, data } = options;
    this.push({ type: "tool", name, ...(id && { id }), data: this.#budget.payload(data) });
  }

  get withoutRepeats(): Content[] {
    return [...new Map(this.#items.map((one) => [JSON.stringify(one), one])).values()];
  }
}

/** Types of blocks that are emitted otherwise, or that a person cannot see. */
const silentTypes: ReadonlySet<string> = new Set([
  ...["text", "text_delta", "output_text", "text-plain", "refusal"],
  ...["thinking", "thinking_delta", "reasoning", "reasoning_content", "redacted_thinking"],
  ...["signature", "compaction", "cachePoint", "function_call", "functionCall", "input_json_delta"],
  ...["tool_use", "tool_call", "tool_call_chunk", "invalid_tool_call"],
]);

/**
 * @param info the generation's, where Gemini's package puts its sources
 * @returns none where reading it throws
 */
export function otherContentOf(
  message: BaseMessage | undefined,
  options: { info: Fields | undefined; exposesTools: boolean },
): Content[] {
  return (message && unlessOdd(() => contentIn(message, options))) ?? [];
}

function contentIn(
  message: BaseMessage,
  options: { info: Fields | undefined; exposesTools: boolean },
): Content[] {
  const found = new Found();
  if (Array.isArray(message.content)) {
    for (const block of message.content.filter(isFields)) addBlock(found, block);
  }
  const extra: Fields = message.additional_kwargs ?? {};
  // As `EventCompletions` hands on what comes beside an answer's text.
  for (const image of listOf(extra.images)) addBlock(found, image);
  for (const { url_citation: cited } of listOf(extra.annotations)) {
    if (isFields(cited)) addSource(found, cited);
  }
  if (isFields(extra.audio)) found.push(fileOf("audio", extra.audio).file);
  for (const item of listOf(extra.tool_outputs)) addToolOutput(found, item);
  const metadata: Fields = message.response_metadata ?? {};
  const grounding = options.info?.groundingMetadata ?? metadata.groundingMetadata;
  if (isFields(grounding)) {
    for (const { web } of listOf(grounding.groundingChunks))
      if (isFields(web)) addSource(found, web);
  }
  const cited = options.info?.citationMetadata ?? metadata.citationMetadata;
  if (isFields(cited)) for (const one of listOf(cited.citationSources)) addSource(found, one);
  const kept = found.withoutRepeats.map((one) => (options.exposesTools ? one : hidden(one)));
  return bounded(kept);
}

function addBlock(found: Found, block: Fields): void {
  const type = text(block.type) ?? "unknown";
  for (const citation of [...listOf(block.citations), ...listOf(block.annotations)]) {
    addSource(found, citation);
  }
  if (silentTypes.has(type)) return;
  switch (type) {
    case "image":
    case "image_url":
    case "audio":
    case "input_audio":
    case "video":
    case "file":
    case "document":
    case "media":
    case "inlineData":
    case "fileData":
      found.push(fileOf(type, block).file);
      return;
    case "non_standard":
      if (isFields(block.value)) addBlock(found, block.value);
      return;
    case "executableCode":
    case "codeExecutionResult":
      found.tool(type, { data: block[type] });
      return;
  }
  const isServerTool = /^(server|mcp)_tool|_tool_result$|_call$|_call_output$/.test(type);
  if (isServerTool) addServerTool(found, type, block);
  else found.push({ type: "other", name: type });
}

/** OpenAI's responses: what its own tools did. An image that they made is among the blocks. */
function addToolOutput(found: Found, item: Fields): void {
  const type = text(item.type) ?? "tool";
  if (type !== "image_generation_call") addServerTool(found, type, item);
}

function addServerTool(found: Found, type: string, fields: Fields): void {
  const id = text(fields.id) ?? text(fields.tool_use_id) ?? text(fields.toolCallId);
  found.tool(text(fields.name) ?? type, { id, data: fields });
}

function addSource(found: Found, fields: Fields): void {
  const url = text(fields.url) ?? text(fields.uri);
  const title = text(fields.title) ?? text(fields.document_title) ?? text(fields.filename);
  const quote = text(fields.cited_text) ?? text(fields.citedText);
  if (url === undefined && title === undefined && quote === undefined) return;
  found.push({
    type: "source",
    ...(url && { url }),
    ...(title && { title }),
    ...(quote && { quote }),
  });
}

/** What a tool took and gave, and what is quoted of a document, goes with the tools' payloads. */
function hidden(content: Content): Content {
  switch (content.type) {
    case "tool": {
      const { data: _data, ...rest } = content;
      return rest;
    }
    case "source": {
      const { quote: _quote, ...rest } = content;
      return rest;
    }
    default:
      return content;
  }
}

function bounded(found: Content[]): Content[] {
  const over = found.length - payloadLimits.items;
  if (over <= 0) return found;
  return [...found.slice(0, -over), { type: "other", name: `…[cut: ${over} items]` }];
}

const listOf = (value: unknown): Fields[] => (Array.isArray(value) ? value.filter(isFields) : []);
