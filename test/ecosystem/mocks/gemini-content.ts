/** Gemini's `streamGenerateContent` and `generateContent`: whole candidates, function calls in one piece. */
import {
  type AnswerWriter,
  billed,
  type JsonObject,
  type ProviderImage,
  type ProviderProtocol,
  type ProviderSource,
  Refusal,
  type ScriptedToolCall,
  sse,
  type Turn,
} from "./provider-protocol.ts";
import {
  expectHeader,
  expectOrder,
  expectPost,
  objectOf,
  objectsOf,
  stringOf,
  textOf,
} from "./request-checks.ts";

const statusNames: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  503: "UNAVAILABLE",
};

export const geminiContent: ProviderProtocol = {
  contentType: "text/event-stream",
  read(request) {
    expectPost(
      request,
      /^\/v1beta\/models\/[\w.-]+:(streamGenerateContent\?alt=sse|generateContent)$/,
    );
    expectHeader(request, "x-goog-api-key", /./);
    const { body, url } = request;
    const turns = turnsOf(objectsOf(body.contents, "contents"));
    expectOrder(turns);
    return { streams: url.includes(":stream"), turns, structured: structuredOf(body) };
  },
  writer: () => new Writer(),
  whole: ({ text, toolCalls }) =>
    candidate([...(text === "" ? [] : [{ text }]), ...toolCalls.map(functionCall)], true),
  refusal: ({ status, message }) => ({
    error: { code: status, message, status: statusNames[status] ?? "INTERNAL" },
  }),
};

/** Functions have names and no ids here: a call and its result are matched by place. */
function turnsOf(contents: readonly JsonObject[]): Turn[] {
  const open: { readonly name: string; readonly id: string }[] = [];
  let calls = 0;
  return contents.flatMap(({ role, parts }): Turn[] => {
    const read = objectsOf(parts, "parts");
    if (read.length === 0) throw new Refusal(400, "contents.parts must not be empty");
    const text = textOf(read.filter(({ thought }) => thought !== true));
    if (role === "model") {
      const toolCallIds = read.flatMap(({ functionCall: call }) => {
        if (call === undefined) return [];
        const name = stringOf(objectOf(call, "functionCall").name, "functionCall.name");
        calls += 1;
        open.push({ name, id: `${name}-${calls}` });
        return [`${name}-${calls}`];
      });
      return [{ role: "ai", text, toolCallIds }];
    }
    const results = read.flatMap(({ functionResponse: result }): Turn[] => {
      if (result === undefined) return [];
      const { name, response } = objectOf(result, "functionResponse");
      const at = open.findIndex((call) => call.name === name);
      const toolCallId = open.splice(at, at < 0 ? 0 : 1)[0]?.id ?? `${name}-0`;
      return [{ role: "tool", toolCallId, text: JSON.stringify(response) }];
    });
    if (results.length > 0) return results;
    if (role !== "user") throw new Refusal(400, `Please use a valid role: user, model (${role})`);
    return [{ role: "human", text }];
  });
}

function structuredOf({
  toolConfig,
  generationConfig,
  tools,
}: JsonObject): ReturnType<ProviderProtocol["read"]>["structured"] {
  const asked = JSON.stringify(toolConfig ?? {});
  if (asked.includes('"ANY"')) {
    const declared = objectsOf(objectsOf(tools, "tools")[0]?.functionDeclarations, "functions");
    return { by: "tool", name: stringOf(declared[0]?.name, "function.name") };
  }
  return JSON.stringify(generationConfig ?? {}).includes("application/json")
    ? { by: "json" }
    : undefined;
}

const functionCall = ({ toolCall, args }: ScriptedToolCall) => ({
  functionCall: { name: toolCall, args },
});

function candidate(
  parts: readonly JsonObject[],
  last: boolean,
  groundingChunks: readonly JsonObject[] = [],
): JsonObject {
  return {
    candidates: [
      {
        content: { role: "model", parts },
        index: 0,
        ...(last && { finishReason: "STOP" }),
        ...(groundingChunks.length > 0 && { groundingMetadata: { groundingChunks } }),
      },
    ],
    ...(last && {
      usageMetadata: {
        promptTokenCount: billed.input,
        candidatesTokenCount: billed.output,
        totalTokenCount: billed.input + billed.output,
        cachedContentTokenCount: billed.cached,
      },
    }),
    modelVersion: "mock",
  };
}

class Writer implements AnswerWriter {
  readonly #sources: ProviderSource[] = [];

  begin(): string {
    return "";
  }

  text(text: string): string {
    return sse(candidate([{ text }], false));
  }

  reasoning(text: string): string {
    return sse(candidate([{ text, thought: true }], false));
  }

  toolCall(call: ScriptedToolCall): readonly string[] {
    return [sse(candidate([functionCall(call)], false))];
  }

  image({ mimeType, base64 }: ProviderImage): string {
    return sse(candidate([{ inlineData: { mimeType, data: base64 } }], false));
  }

  source(source: ProviderSource): string {
    this.#sources.push(source);
    return "";
  }

  finish(): string {
    const chunks = this.#sources.map(({ url, title }) => ({ web: { uri: url, title } }));
    return sse(candidate([{ text: "" }], true, chunks));
  }
}
