/** One sentence for each event type, as the schemas carry it. */
import type { EventType } from "../../src/protocol/events.ts";

export const eventSummaries: Record<EventType, string> = {
  runStart: "The run was accepted; no provider has been called yet.",
  chainStart: "A chain or agent begins.",
  chainEnd: "A chain or agent has ended.",
  llmStart: "A model call begins.",
  llmEnd: "A model call has ended.",
  token: "A piece of the model's answer; neighbours may arrive as one.",
  reasoning: "A piece of the model's reasoning; neighbours may arrive as one.",
  toolInput: "A piece of a tool call, while a model writes it; neighbours may arrive as one.",
  output: "A typed bot's answer as far as a model has written it.",
  toolStart: "A tool begins.",
  toolProgress: "What a tool says while it works; neighbours of text alone may arrive as one.",
  toolUpdate: "The older name of toolProgress; no longer sent.",
  toolEnd: "A tool has ended.",
  agentAction: "An agent decided to use a tool.",
  agentFinish: "An agent gave its final answer.",
  retrieverStart: "A retriever begins.",
  retrieverEnd: "A retriever has ended.",
  text: "Free text that a chain or agent reports.",
  custom: "What a bot's own code sent.",
  state: "What a channel of the bot's declared state holds from now on.",
  reset: "The span's tokens so far are void: a retry or a fallback starts over.",
  error: "A span ended by failing; the run itself may go on.",
  runEnd: "The one ending of a run, with the whole answer and the usage.",
};
