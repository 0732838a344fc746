/**
 * Which of a run's models speak: their text is the answer or a step to it, and goes to readers. The
 * others work for the bot alone: in a tool or a retriever, tagged `nostream`, asked for structure.
 */
import type { ModelCall } from "../../bot.ts";
import type { Metadata } from "../span-facts.ts";
import type { Span } from "../span-tree.ts";

/** Where a model's text goes. */
export type Voice =
  /** To the readers, as the answer or a step to it. */
  | "answer"
  /** To the readers, as progress of the tool around it. */
  | "progress"
  /** Nowhere: tagged `nostream`, asked for structure, or the bot said so. */
  | "silent";

export function voiceOf(model: Span, call: ModelCall): Voice {
  if (call.speaks) return "answer";
  const { outerTool } = model;
  return outerTool?.kind === "tool" && !model.nostream && !call.structured ? "progress" : "silent";
}

/** Whether what a call was asked for, JSON or one call, may be a typed bot's answer: nobody reads it as text. */
export function writesAnswer(model: Span, { structured }: ModelCall): boolean {
  const { voice, outerTool, nostream, candidates } = model;
  return (
    structured && voice === "silent" && outerTool === undefined && !nostream && candidates === 1
  );
}

/** A model's call as a bot's `speaks` receives it, with the default in `speaks`. */
export function modelCallOf(
  model: Span,
  facts: { tags: readonly string[] | undefined; metadata: Metadata; extraParams: Metadata },
): ModelCall {
  const { metadata = {}, tags = [], extraParams } = facts;
  const structured = asksForStructure(extraParams);
  const { outerTool, agentName } = model;
  const node = text(metadata.langgraph_node);
  return {
    name: model.name,
    path: model.path,
    tags,
    metadata,
    structured,
    speaks: !model.nostream && outerTool === undefined && !structured,
    ...(agentName !== undefined && { agentName }),
    ...(node !== undefined && { node }),
    ...(outerTool !== undefined && { insideTool: outerTool.name }),
  };
}

/**
 * Whether the call wants JSON or one tool's arguments and nothing else. LangChain's own mark for that
 * (`ls_structured_output_format`) is not set by all of its packages: so it is read from the parameters too.
 */
function asksForStructure(extraParams: Metadata): boolean {
  return [extraParams?.options, extraParams?.invocation_params].some(
    (parameters) => isObject(parameters) && (wantsJson(parameters) || forcesTool(parameters)),
  );
}

function wantsJson(parameters: Fields): boolean {
  const { format, text: responses, generationConfig: gemini } = parameters;
  const claude = parameters.output_config ?? parameters.outputConfig;
  return (
    parameters.ls_structured_output_format !== undefined ||
    isJsonFormat(parameters.response_format ?? parameters.responseFormat) ||
    (isObject(responses) && isJsonFormat(responses.format)) ||
    (isObject(claude) && isJsonFormat(claude.format)) ||
    (isObject(gemini) &&
      (isObject(gemini.responseSchema) || isJsonType(gemini.responseMimeType))) ||
    // Ollama's
    format === "json" ||
    isObject(format)
  );
}

const isJsonFormat = (format: unknown): boolean =>
  isObject(format) && typeof format.type === "string" && format.type.startsWith("json");

const isJsonType = (type: unknown): boolean => type === "application/json";

/** Values of `tool_choice` that leave the choice of a tool to the model. */
const freeChoices: ReadonlySet<unknown> = new Set(["auto", "none", "any", "required", "validated"]);

function forcesTool(parameters: Fields): boolean {
  const choice = parameters.tool_choice ?? parameters.toolChoice;
  const allowed = parameters.allowedFunctionNames;
  if (Array.isArray(allowed) && allowed.length === 1) return true;
  if (typeof choice === "string") return choice !== "" && !freeChoices.has(choice);
  return isObject(choice) && (isObject(choice.function) || typeof choice.name === "string");
}

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;
