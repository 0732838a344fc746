/**
 * What agents do. The classic executor reports its actions and its finish by itself. Agents made of
 * a graph report neither: a model's decision to call tools is their action, and what the graph
 * returns is their finish.
 */
import type { AgentAction, AgentFinish } from "@langchain/core/agents";
import { answerIn } from "./bot-output.ts";
import type { ModelResult } from "./model/model-result.ts";
import { isAnswerCall } from "./model/partial-outputs.ts";
import { toPayload } from "./payload.ts";
import type { Span } from "./span-tree.ts";
import type { SpanWriter } from "./span-writer.ts";

export class AgentEvents {
  readonly #writer: SpanWriter;

  constructor(writer: SpanWriter) {
    this.#writer = writer;
  }

  reportedAction(action: AgentAction, spanId: string): void {
    const span = this.#writer.tree.get(spanId)?.shown;
    if (span === undefined) return;
    const toolCallId: unknown = "toolCallId" in action ? action.toolCallId : undefined;
    this.#action(span, {
      tool: action.tool,
      input: action.toolInput,
      log: action.log,
      toolCallId: typeof toolCallId === "string" ? toolCallId : undefined,
    });
  }

  reportedFinish(finish: AgentFinish, spanId: string): void {
    const agent = this.#writer.tree.get(spanId);
    const answer = answerIn(finish.returnValues, this.#writer.tree);
    if (agent !== undefined) this.#finish(agent, answer ?? finish.returnValues, finish.log);
  }

  /** A model inside a graph decided to call tools. */
  decided(model: Span, { toolCalls, text }: ModelResult): void {
    const actor = model.actor;
    const span = actor?.shown;
    if (actor === undefined || span === undefined || toolCalls.length === 0) return;
    actor.acted = true;
    for (const { name, args, id } of toolCalls.filter((call) => !isAnswerCall(call.name))) {
      this.#action(span, { tool: name, input: args, log: text, toolCallId: id });
    }
  }

  /** A graph has ended: if it was an agent's, this is the agent's finish. */
  graphEnded(graph: Span, outputs: unknown): void {
    if (graph.hidden || !graph.open || !(graph.agent === "agent" || graph.acted)) return;
    // After an interrupt, a graph's outputs look the same, and its spans end as if it had finished.
    if (this.#writer.interrupts.raised) return;
    const answer = answerIn(outputs, this.#writer.tree);
    this.#finish(graph, answer ?? outputs, "");
  }

  #action(
    span: Span,
    action: { tool: string; input: unknown; log: string; toolCallId: string | undefined },
  ): void {
    this.#writer.emit({
      type: "agentAction",
      runId: this.#writer.runId,
      spanId: span.id,
      tool: action.tool,
      ...(action.toolCallId && { toolCallId: action.toolCallId }),
      ...(this.#writer.exposesTools && {
        input: toPayload(action.input),
        ...(action.log !== "" && { log: action.log }),
      }),
    });
  }

  #finish(agent: Span, output: unknown, log: string): void {
    const span = agent.shown;
    if (span === undefined) return;
    // As the agent's own: the span that shows in its place may show more.
    const exposed = this.#writer.exposes(agent) || this.#writer.exposesTools;
    this.#writer.emit({
      type: "agentFinish",
      runId: this.#writer.runId,
      spanId: span.id,
      ...(exposed && {
        output: this.#writer.payloadOf(agent, output),
        ...(log !== "" && this.#writer.exposesTools && { log }),
      }),
    });
  }
}
