/**
 * What a bot reports of the channels that it declares in its `state`: what its code gives LangGraph's
 * writer, and what its graphs' nodes put into their state. A value goes out once, until it changes.
 *
 * What a node returns is the channel's value where the channel has no reducer. Where it has one, or the
 * graph cannot be seen, the value shows in what the next node is given, or in what the graph returns.
 * Graphs inside of tools have a state of their own, and report it with the writer.
 */
import { toPayload } from "../payload.ts";
import type { Metadata } from "../span-facts.ts";
import type { Span } from "../span-tree.ts";
import type { SpanWriter } from "../span-writer.ts";
import { updatesIn } from "./state-updates.ts";

/** LangGraph's name for what starts a task that is not given the state, but something of its own. */
const pushed = "__pregel_push";
/** Its name for the node that puts a graph's input into the state. */
const start = "__start__";

export class StateEvents {
  readonly #writer: SpanWriter;
  readonly #channels: ReadonlySet<string>;
  /** Those without a reducer. */
  #replaced: ReadonlySet<string> = new Set();
  /** The JSON of what readers have, by channel. */
  readonly #sent = new Map<string, string>();
  /** The JSON of what each graph's channels held when last seen. */
  readonly #seen = new WeakMap<Span, Map<string, string>>();

  /** @param channels that the bot declares */
  constructor(writer: SpanWriter, channels: readonly string[]) {
    this.#writer = writer;
    this.#channels = new Set(channels);
  }

  /** @param channels in which a graph's node replaces what was there */
  replacedIn(channels: ReadonlySet<string>): void {
    this.#replaced = channels;
  }

  /**
   * LangGraph's writer was given something.
   * @returns what of it is of no channel; undefined where nothing is
   */
  written(spanId: string, chunk: unknown): unknown {
    if (this.#channels.size === 0) return chunk;
    const entries = entriesOf(chunk);
    const others = entries.filter(([name]) => !this.#channels.has(name));
    if (others.length === entries.length) return chunk;
    const span = (this.#writer.tree.get(spanId) ?? this.#writer.tree.root)?.shown;
    for (const [channel, json] of this.#valuesIn(chunk)) this.#tell(span, channel, json);
    return others.length === 0 ? undefined : Object.fromEntries(others);
  }

  /** A node begins: with the state of its graph, as the nodes before it have left it. */
  nodeStarted(node: Span, inputs: unknown, metadata: Metadata): void {
    const graph = this.#graphOf(node);
    const triggers: unknown = metadata?.langgraph_triggers;
    if (graph === undefined || !Array.isArray(triggers) || triggers.includes(pushed)) return;
    const isFirst = !this.#seen.has(graph);
    for (const [channel, json] of this.#valuesIn(inputs)) {
      // What a graph begins with is not news.
      this.#holds(graph, channel, { json, isNew: !isFirst, teller: graph });
    }
    if (isFirst) this.#seenIn(graph);
  }

  /** A node or a graph is about to end. */
  chainEnding(chain: Span, outputs: unknown): void {
    this.#nodeEnding(chain, outputs);
    this.#graphEnding(chain, outputs);
  }

  #nodeEnding(node: Span, outputs: unknown): void {
    const graph = this.#graphOf(node);
    if (graph === undefined) return;
    for (const update of updatesIn(outputs)) {
      for (const [channel, json] of this.#valuesIn(update)) {
        if (!this.#replaced.has(channel)) continue;
        this.#holds(graph, channel, { json, isNew: true, teller: node });
      }
    }
  }

  #graphEnding(graph: Span, outputs: unknown): void {
    if (!graph.isGraph || graph.outerTool !== undefined) return;
    for (const [channel, json] of this.#valuesIn(outputs)) {
      this.#holds(graph, channel, { json, isNew: true, teller: graph });
    }
  }

  #graphOf(node: Span): Span | undefined {
    if (this.#channels.size === 0 || !node.isNode || node.name === start) return undefined;
    return node.outerTool === undefined ? node.parent : undefined;
  }

  *#valuesIn(state: unknown): Iterable<[string, string]> {
    if (typeof state !== "object" || state === null) return;
    for (const channel of this.#channels) {
      const value = channelOf(state, channel);
      if (value !== undefined) yield [channel, JSON.stringify(toPayload(value))];
    }
  }

  /** @param facts.teller the span that the event belongs to */
  #holds(
    graph: Span,
    channel: string,
    { json, isNew, teller }: { json: string; isNew: boolean; teller: Span },
  ): void {
    const seen = this.#seenIn(graph);
    if (seen.get(channel) === json) return;
    seen.set(channel, json);
    if (isNew) this.#tell(teller.shown, channel, json);
  }

  #seenIn(graph: Span): Map<string, string> {
    const seen = this.#seen.get(graph) ?? new Map<string, string>();
    this.#seen.set(graph, seen);
    return seen;
  }

  #tell(span: Span | undefined, channel: string, json: string): void {
    if (span === undefined || this.#sent.get(channel) === json) return;
    this.#sent.set(channel, json);
    const { runId } = this.#writer;
    const value = JSON.parse(json);
    this.#writer.emit({ type: "state", runId, spanId: span.id, channel, value });
  }
}

/** Undefined where there is none, or it cannot be read: a bot's objects may throw. */
function channelOf(state: object, channel: string): unknown {
  try {
    return channel in state ? Reflect.get(state, channel) : undefined;
  } catch {
    return undefined;
  }
}

/** Of a plain object; none of anything else. */
function entriesOf(chunk: unknown): [string, unknown][] {
  if (typeof chunk !== "object" || chunk === null) return [];
  try {
    const prototype: unknown = Object.getPrototypeOf(chunk);
    return prototype === Object.prototype || prototype === null ? Object.entries(chunk) : [];
  } catch {
    return [];
  }
}
