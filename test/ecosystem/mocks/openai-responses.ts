/** OpenAI's Responses API: what it takes. */
import { callItem, messageItem, ResponsesWriter, response } from "./openai-responses-writer.ts";
import { type JsonObject, type ProviderProtocol, Refusal, type Turn } from "./provider-protocol.ts";
import {
  expectHeader,
  expectOrder,
  expectPost,
  objectOf,
  objectsOf,
  stringOf,
  textOf,
} from "./request-checks.ts";

export const openaiResponses: ProviderProtocol = {
  contentType: "text/event-stream; charset=utf-8",
  read(request) {
    expectPost(request, /^\/v1\/responses$/);
    expectHeader(request, "authorization", /^Bearer ./);
    const { body } = request;
    stringOf(body.model, "model");
    const turns = turnsOf(objectsOf(body.input, "input"));
    expectOrder(turns);
    return { streams: body.stream === true, turns, structured: structuredOf(body) };
  },
  writer: ({ text }) => new ResponsesWriter(text),
  whole: ({ text, toolCalls }) =>
    response(
      [...(text === "" ? [] : [messageItem(text)]), ...toolCalls.map((call) => callItem(call))],
      "completed",
    ),
  refusal: ({ status, message }) => ({
    error: {
      message,
      type: "invalid_request_error",
      param: null,
      code: status === 401 ? "invalid_api_key" : null,
    },
  }),
};

/** Neighbouring calls belong to one turn of the model. */
function turnsOf(items: readonly JsonObject[]): Turn[] {
  const turns: Turn[] = [];
  for (const item of items) {
    const last = turns.at(-1);
    if (item.type === "function_call") {
      const id = stringOf(item.call_id, "call_id");
      JSON.parse(stringOf(item.arguments, "arguments"));
      if (last?.role === "ai") {
        turns.splice(-1, 1, { ...last, toolCallIds: [...last.toolCallIds, id] });
      } else turns.push({ role: "ai", text: "", toolCallIds: [id] });
    } else if (item.type === "function_call_output") {
      const toolCallId = stringOf(item.call_id, "call_id");
      turns.push({ role: "tool", toolCallId, text: textOf(item.output) });
    } else if (item.type === "message" || item.type === undefined) turns.push(messageTurn(item));
    else if (item.type !== "reasoning" && item.type !== "image_generation_call") {
      throw new Refusal(400, `unknown input item ${item.type}`);
    }
  }
  return turns;
}

function messageTurn({ role, content }: JsonObject): Turn {
  const text = textOf(content);
  switch (role) {
    case "system":
    case "developer":
      return { role: "system", text };
    case "user":
      return { role: "human", text };
    case "assistant":
      return { role: "ai", text, toolCallIds: [] };
    default:
      throw new Refusal(400, `unknown role ${role}`);
  }
}

function structuredOf({
  tool_choice: choice,
  tools,
  text,
}: JsonObject): ReturnType<ProviderProtocol["read"]>["structured"] {
  if (choice !== undefined && choice !== "auto" && choice !== "none") {
    return { by: "tool", name: stringOf(objectsOf(tools, "tools")[0]?.name, "tool.name") };
  }
  const format = text === undefined ? undefined : objectOf(text, "text").format;
  const type = format === undefined ? "text" : objectOf(format, "format").type;
  return type === "text" ? undefined : { by: "json" };
}
