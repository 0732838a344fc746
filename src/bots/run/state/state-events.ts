/**
 * What a bot reports of the channels that it declares in its `state`: what its code gives LangGraph's
 * writer, and what its graphs' nodes put into their state. A value goes out once, until it changes.
 *
 * What a node returns is the channel's value where the channel has no reducer. Where it has one, or the
 * graph cannot be seen, the value shows in what the next node is given, or in what the graph returns.
 * Graphs inside of tools have a state of their own, and report it with the writer.
 *
 * A value that does not fit its channel's schema is not told: clients are typed by it.
 */

import type { Json } from "../../../protocol/events.ts";
import { checkNow, type StandardSchema } from "../../definition/standard-schema.ts";
import { toPayload } from "../payload.ts";
import type { Metadata } from "../span-facts.ts";
import type { Span } from "../span-tree.ts";
import type { SpanWriter } from "../span-writer.ts";
import { updatesIn } from "./state-updates.ts";

/** LangGraph's name for what starts a task that is not given the state, but something of its own. */
const pushed = "__pregel_push";
/** Its name for the node that puts a graph's input into the state. */
const start = "__start__";

export interface StateEventsOptions {
  /** Of the channels that the bot declares. */
  readonly schemas: Readonly<Record<string, StandardSchema>>;
  /** Told of a value that does not fit, once for each channel. */
  readonly onFailure?: ((what: string, cause: unknown) => void) | undefined;
}

const unfit = "what a bot reports of its state does not fit what it declares";

export class StateEvents {
  readonly #writer: SpanWriter;
  readonly #options: StateEventsOptions;
  readonly #channels: ReadonlySet<string>;
  /** Those without a reducer. */
  #replaced: ReadonlySet<string> = new Set();
  /** The JSON of what readers have, by channel. */
  readonly #sent = new Map<string, string>();
  /** Channels of which it was reported that a value does not fit. */
  readonly #unfit = new Set<string>();
  /** The JSON of what each graph's channels held when last seen. */
  readonly #seen = new WeakMap<Span, Map<string, string>>();

  constructor(writer: SpanWriter, options: StateEventsOptions) {
    this.#writer = writer;
    this.#options = options;
    this.#channels = new Set(Object.keys(options.schemas));
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
    const value = this.#fitting(channel, JSON.parse(json));
    if (value === undefined) return;
    this.#writer.emit({ type: "state", runId, spanId: span.id, channel, value });
  }

  /** The value as its schema gives it; undefined where it does not fit. */
  #fitting(channel: string, value: Json): Json | undefined {
    const schema = this.#options.schemas[channel];
    if (schema === undefined) return value;
    let cause: unknown;
    try {
      const checked = checkNow(schema, value, channel);
      if (checked === undefined) return value;
      if (checked.ok) return toPayload(checked.value);
      cause = new TypeError(checked.issues.join("; "));
    } catch (thrown) {
      cause = thrown;
    }
    if (!this.#unfit.has(channel)) this.#options.onFailure?.(unfit, cause);
    this.#unfit.add(channel);
    return undefined;
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
