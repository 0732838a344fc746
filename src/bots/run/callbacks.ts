/**
 * LangChain's callbacks, turned into events: one handler for one run.
 *
 * LangChain waits for each call, so calls come in causal order and must return at once: `emit`
 * appends and never waits for a reader. A token costs one look-up and one object.
 */
import type { AgentAction, AgentFinish } from "@langchain/core/agents";
import { BaseCallbackHandler, type NewTokenIndices } from "@langchain/core/callbacks/base";
import type { ChatModelStreamEvent } from "@langchain/core/language_models/event";
import type { Serialized } from "@langchain/core/load/serializable";
import type { BaseMessage } from "@langchain/core/messages";
import type { ChatGenerationChunk, GenerationChunk, LLMResult } from "@langchain/core/outputs";
import type { Bot } from "../bot.ts";
import type { ExchangeRecorder } from "../exchange/exchange-recorder.ts";
import { AgentEvents } from "./agent-events.ts";
import { ModelEvents } from "./model/model-events.ts";
import { markRemoved } from "./model/removed-messages.ts";
import { agentRoleOf, isInAgent, nameOf } from "./span-facts.ts";
import type { Span } from "./span-tree.ts";
import type { SpanWriter } from "./span-writer.ts";
import type { StateEvents } from "./state/state-events.ts";
import { RetrieverEvents } from "./tools/retriever-events.ts";
import { ToolEvents } from "./tools/tool-events.ts";
import { unlessOdd } from "./unless-odd.ts";

type Metadata = Record<string, unknown>;

export class EventCallbacks extends BaseCallbackHandler {
  readonly name = "langwire";
  readonly models: ModelEvents;
  readonly #agents: AgentEvents;
  readonly #tools: ToolEvents;
  readonly #retrievers: RetrieverEvents;
  readonly #state: StateEvents;
  readonly #exchange: ExchangeRecorder | undefined;
  readonly #writer: SpanWriter;

  constructor(
    writer: SpanWriter,
    options: {
      readonly bot: Bot;
      readonly state: StateEvents;
      readonly exchange: ExchangeRecorder | undefined;
      readonly maxFileCharacters: number | undefined;
    },
  ) {
    super({ _awaitHandler: true });
    const { bot, state, exchange } = options;
    this.#exchange = exchange;
    this.#writer = writer;
    this.#state = state;
    this.models = new ModelEvents(writer, bot);
    this.#agents = new AgentEvents(writer);
    this.#tools = new ToolEvents(writer, options);
    this.#retrievers = new RetrieverEvents(writer);
  }

  /** Makes `invoke` stream, and leaves it to the provider to count the tokens. */
  get lc_prefer_streaming(): boolean {
    return this.models.mayStream;
  }

  /** LangChain copies handlers now and then; the state of a run must stay one. */
  override copy(): this {
    return this;
  }

  override handleChatModelStart(
    model: Serialized,
    _messages: BaseMessage[][],
    id: string,
    parentId?: string,
    extraParams?: Metadata,
    tags?: string[],
    metadata?: Metadata,
    runName?: string,
  ): void {
    const name = nameOf(model, runName, "model");
    const span = this.#writer.open({ id, kind: "llm", name, parentId, tags, metadata });
    this.models.started(span, { tags, metadata, extraParams });
  }

  override handleLLMStart(
    model: Serialized,
    _prompts: string[],
    id: string,
    parentId?: string,
    extraParams?: Metadata,
    tags?: string[],
    metadata?: Metadata,
    runName?: string,
  ): void {
    this.handleChatModelStart(model, [], id, parentId, extraParams, tags, metadata, runName);
  }

  override handleLLMNewToken(
    token: string,
    index: NewTokenIndices,
    id: string,
    _parentId?: string,
    _tags?: string[],
    fields?: { chunk?: GenerationChunk | ChatGenerationChunk },
  ): void {
    const span = this.#writer.tree.get(id);
    // Of several candidates only the first is on the wire: their tokens would mix.
    if (span === undefined || !span.open || index.completion > 0) return;
    if (span.streamedBy === "events") return;
    span.streamedBy = "tokens";
    this.models.chunk(span, token, fields?.chunk);
  }

  /** Comes instead of tokens where a handler in the run asked for it, as LangGraph's may. */
  override handleChatModelStreamEvent(event: ChatModelStreamEvent, id: string): void {
    const span = this.#writer.tree.get(id);
    if (span === undefined || !span.open || span.streamedBy === "tokens") return;
    span.streamedBy = "events";
    this.models.streamEvent(span, event);
  }

  override handleLLMEnd(
    output: LLMResult,
    id: string,
    _parentId?: string,
    _tags?: string[],
    extraParams?: Metadata,
  ): void {
    const span = this.#writer.tree.get(id);
    if (span === undefined || !span.open) return;
    const result = this.models.ended(span, output, extraParams?.cached === true);
    if (span.broken !== undefined) return;
    this.#agents.decided(span, result);
    this.#tools.asked(result);
    this.#exchange?.modelAsked(span, result);
  }

  override handleLLMError(error: unknown, id: string): void {
    this.#writer.fail(this.#writer.tree.get(id), error);
  }

  /** LangChain's types promise another order of arguments; this is the one in which they come. */
  override handleChainStart(
    chain: Serialized,
    inputs: unknown,
    id: string,
    parentId?: string,
    tags?: string[],
    metadata?: Metadata,
    _runType?: string,
    runName?: string,
  ): void {
    const parent = parentId === undefined ? undefined : this.#writer.tree.get(parentId);
    const span = this.#writer.open({
      id,
      kind: "chain",
      name: nameOf(chain, runName, "chain"),
      parentId,
      tags,
      agent: agentRoleOf(chain, metadata, parent?.inAgent ?? false),
      inAgent: isInAgent(metadata),
      metadata,
    });
    this.#state.nodeStarted(span, inputs, metadata);
    if (span.hidden) return;
    this.#writer.emit({
      type: "chainStart",
      ...this.#writer.opening(span),
      ...(this.#writer.exposes(span) && { input: this.#writer.payloadOf(span, inputs) }),
    });
  }

  override handleChainEnd(outputs: unknown, id: string): void {
    const span = this.#ending(id);
    if (span === undefined) return;
    unlessOdd(() => this.#tools.chainEnding(span, outputs));
    unlessOdd(() => this.#state.chainEnding(span, outputs));
    unlessOdd(() => this.#exchange?.nodeReturned(span, outputs));
    if (span.isNode) unlessOdd(() => markRemoved(outputs, this.#writer.tree.models));
    unlessOdd(() => this.#agents.graphEnded(span, outputs));
    this.#chainEnded(span, outputs);
  }

  override handleChainError(error: unknown, id: string): void {
    // An interrupt, or a hand-over to another graph: LangGraph throws for them, but nothing failed.
    if (this.#writer.stopped(id, error)) this.#chainEnded(this.#ending(id), undefined);
    else this.#writer.fail(this.#writer.tree.get(id), error);
  }

  override handleToolStart(
    tool: Serialized,
    input: string,
    id: string,
    parentId?: string,
    tags?: string[],
    metadata?: Metadata,
    runName?: string,
    toolCallId?: string,
  ): void {
    const inAgent = isInAgent(metadata);
    const name = nameOf(tool, runName, "tool");
    const span = this.#writer.open({ id, kind: "tool", name, parentId, tags, inAgent, metadata });
    this.#tools.started(span, input, toolCallId);
  }

  override handleToolEvent(chunk: unknown, id: string): void {
    this.#tools.progressed(this.#writer.tree.get(id), chunk);
  }

  override handleToolEnd(output: unknown, id: string): void {
    const span = this.#ending(id);
    if (span === undefined) return;
    unlessOdd(() => this.#exchange?.toolReturned(span, output));
    this.#tools.ended(span, output);
  }

  override handleToolError(error: unknown, id: string): void {
    if (this.#writer.stopped(id, error)) this.handleToolEnd(undefined, id);
    else this.#writer.fail(this.#writer.tree.get(id), error);
  }

  override handleAgentAction(action: AgentAction, id: string): void {
    this.#agents.reportedAction(action, id);
  }

  override handleAgentEnd(finish: AgentFinish, id: string): void {
    this.#agents.reportedFinish(finish, id);
  }

  override handleRetrieverStart(
    retriever: Serialized,
    query: unknown,
    id: string,
    parentId?: string,
    tags?: string[],
    metadata?: Metadata,
    runName?: string,
  ): void {
    const name = nameOf(retriever, runName, "retriever");
    const span = this.#writer.open({ id, kind: "retriever", name, parentId, tags, metadata });
    this.#retrievers.started(span, query);
  }

  override handleRetrieverEnd(documents: unknown, id: string): void {
    const span = this.#ending(id);
    if (span !== undefined) this.#retrievers.ended(span, documents);
  }

  override handleRetrieverError(error: unknown, id: string): void {
    this.#writer.fail(this.#writer.tree.get(id), error);
  }

  /** Classic chains report this way what they found, and with what they asked. */
  override handleText(text: string, id: string): void {
    const span = this.#writer.tree.get(id);
    if (span === undefined || !this.#writer.exposes(span) || !this.#writer.exposesTools) return;
    const shown = span.shown;
    if (shown === undefined) return;
    this.#writer.emit({ type: "text", runId: this.#writer.runId, spanId: shown.id, text });
  }

  override handleCustomEvent(name: string, data: unknown, id: string): void {
    this.#writer.custom(id, name, data);
  }

  /** The open span that is about to end well. */
  #ending(id: string): Span | undefined {
    const span = this.#writer.tree.get(id);
    if (span === undefined || !span.open) return undefined;
    this.#writer.survived(span);
    return span;
  }

  #chainEnded(span: Span | undefined, outputs: unknown): void {
    const closing = this.#writer.shut(span);
    if (span === undefined || closing === undefined) return;
    const returned = this.#writer.exposes(span) && {
      output: this.#writer.payloadOf(span, outputs),
    };
    this.#writer.emit({ type: "chainEnd", ...closing, ...returned });
  }
}
