/** Ollama's `/api/chat`: a line of JSON for each piece. */
import {
  type AnswerWriter,
  billed,
  type JsonObject,
  type ProviderProtocol,
  Refusal,
  type ScriptedToolCall,
  type Turn,
} from "./provider-protocol.ts";
import {
  expectOrder,
  expectPost,
  objectOf,
  objectsOf,
  stringOf,
  textOf,
} from "./request-checks.ts";

export const ollamaChat: ProviderProtocol = {
  contentType: "application/x-ndjson",
  read(request) {
    expectPost(request, /^\/api\/chat$/);
    const { body } = request;
    stringOf(body.model, "model");
    const turns = turnsOf(objectsOf(body.messages, "messages"));
    expectOrder(turns);
    const structured = structuredOf(body);
    return { streams: body.stream !== false, turns, structured };
  },
  writer: () => new Writer(),
  whole: ({ text, toolCalls }) =>
    line({ content: text, tool_calls: toolCalls.map(called) }, finished("stop")),
  refusal: ({ message }) => ({ error: message }),
};

/** Calls have no ids here: results are told to come in the order of the calls. */
function turnsOf(messages: readonly JsonObject[]): Turn[] {
  let called = 0;
  let answered = 0;
  return messages.map(({ role, content, tool_calls: calls }): Turn => {
    const text = textOf(content);
    switch (role) {
      case "system":
        return { role: "system", text };
      case "user":
        return { role: "human", text };
      case "tool":
        answered += 1;
        return { role: "tool", toolCallId: `call-${answered}`, text };
      case "assistant": {
        const toolCallIds = objectsOf(calls ?? [], "tool_calls").map((call) => {
          objectOf(objectOf(call.function, "function").arguments, "function.arguments");
          called += 1;
          return `call-${called}`;
        });
        return { role: "ai", text, toolCallIds };
      }
      default:
        throw new Refusal(400, `invalid role: ${role}`);
    }
  });
}

/** Ollama has no way to demand a tool: a tool named for extraction is meant to be called. */
function structuredOf({
  format,
  tools,
}: JsonObject): ReturnType<ProviderProtocol["read"]>["structured"] {
  if (format !== undefined) return { by: "json" };
  const names = objectsOf(tools ?? [], "tools").map(
    (tool) => objectOf(tool.function, "function").name,
  );
  return names.includes("extract") ? { by: "tool", name: "extract" } : undefined;
}

const called = ({ toolCall, args }: ScriptedToolCall) => ({
  function: { name: toolCall, arguments: args },
});

const finished = (reason: string): JsonObject => ({
  done: true,
  done_reason: reason,
  total_duration: 1,
  prompt_eval_count: billed.input,
  eval_count: billed.output,
});

function line(message: JsonObject, more: JsonObject = { done: false }): JsonObject {
  const said = { role: "assistant", content: "", ...message };
  return { model: "mock", created_at: "2026-01-01T00:00:00Z", message: said, ...more };
}

class Writer implements AnswerWriter {
  begin(): string {
    return "";
  }

  text(content: string): string {
    return this.#line(line({ content }));
  }

  reasoning(thinking: string): string {
    return this.#line(line({ thinking }));
  }

  toolCall(call: ScriptedToolCall): readonly string[] {
    return [this.#line(line({ tool_calls: [called(call)] }))];
  }

  finish(): string {
    return this.#line(line({}, finished("stop")));
  }

  #line(data: JsonObject): string {
    return `${JSON.stringify(data)}\n`;
  }
}
