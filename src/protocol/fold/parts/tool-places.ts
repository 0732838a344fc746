/** The tool parts of one run: from the first piece of a call that a model writes to the tool's end. */
import type { EventOf, Json } from "../../events.ts";
import type { PartOf } from "../../parts.ts";
import { GrowingText } from "../growing-text.ts";
import { type Content, known } from "./found-parts.ts";

type Tool = PartOf<"tool">;
type Facts = Omit<Tool, "type" | "inputText" | "progress">;

/** One tool's place in the message. */
export class ToolPlace {
  /** The model span that writes, or wrote, the call. */
  readonly writer: string | undefined;
  #facts: Facts;
  #inputText: GrowingText | undefined;
  #progress: GrowingText | undefined;
  #part: Tool | undefined;

  constructor(facts: Facts, writer?: string) {
    this.#facts = facts;
    this.writer = writer;
  }

  get state(): Tool["state"] {
    return this.#facts.state;
  }

  get name(): string {
    return this.#facts.name;
  }

  /** Of the model's that writes the call: a retry or a fallback writes another. */
  isVoidWith(spanId: string): boolean {
    return this.#facts.state === "writing" && this.writer === spanId;
  }

  write(text: string): void {
    this.#part = undefined;
    this.#inputText ??= new GrowingText();
    this.#inputText.add(text);
  }

  say(text: string): void {
    this.#part = undefined;
    this.#progress ??= new GrowingText();
    this.#progress.add(text);
  }

  change(facts: Partial<Facts>): void {
    this.#part = undefined;
    this.#facts = { ...this.#facts, ...known(facts) };
    if (facts.input !== undefined) this.#inputText = undefined;
  }

  /** The same call is answered once more: what the attempt before it left is void. */
  begin(facts: Partial<Facts>): void {
    this.#progress = undefined;
    const { output: _output, error: _error, ...rest } = this.#facts;
    this.#facts = rest;
    this.change({ ...facts, state: "running" });
  }

  /** The same object until something changes. */
  get part(): Tool {
    const { name, toolCallId, spanId, state, input, output, error } = this.#facts;
    this.#part ??= known<Tool>({
      type: "tool",
      name,
      toolCallId,
      spanId,
      state,
      inputText: this.#inputText?.text,
      input,
      progress: this.#progress?.text,
      output,
      error,
    });
    return this.#part;
  }
}

/** A call that models have finished writing, as `llmEnd` has it. */
type Asked = NonNullable<EventOf<"llmEnd">["toolCalls"]>[number];

export class ToolPlaces {
  /** By the call's id, which a provider may use again: the newest. */
  readonly #byCall = new Map<string, ToolPlace>();
  /** Those at work, by their own span. */
  readonly #bySpan = new Map<string, ToolPlace>();
  /** Written, and not begun yet, in the order of their first pieces. */
  #written: ToolPlace[] = [];

  /** A piece of a call. @returns its place, where it is the first one */
  write({ spanId, toolCallId, name, text }: EventOf<"toolInput">): ToolPlace | undefined {
    let place = this.#byCall.get(toolCallId);
    const isNew = place?.state !== "writing";
    if (isNew) {
      if (name === undefined) return undefined;
      place = new ToolPlace({ name, toolCallId, state: "writing" }, spanId);
      this.#byCall.set(toolCallId, place);
      this.#written.push(place);
    }
    if (text !== undefined) place?.write(text);
    return isNew ? place : undefined;
  }

  /** A model has finished writing its calls: they are whole, and not begun. */
  asked(spanId: string, calls: readonly Asked[] = []): void {
    const own = this.#written.filter(({ writer }) => writer === spanId);
    for (const { id, name, args } of calls) {
      const byId = id === undefined ? undefined : this.#byCall.get(id);
      const place = own.find((one) => one === byId) ?? own.find((one) => one.name === name);
      if (place === undefined) continue;
      own.splice(own.indexOf(place), 1);
      place.change({ input: args });
    }
  }

  /** A tool begins. @returns its place, where no model has written the call before */
  start({ spanId, toolCallId, name, input }: EventOf<"toolStart">): ToolPlace | undefined {
    const known = this.#called(toolCallId, name);
    const place = known ?? new ToolPlace({ name, toolCallId, state: "running" });
    place.begin({ name, spanId, input });
    this.#written = this.#written.filter((one) => one !== place);
    this.#bySpan.set(spanId, place);
    if (toolCallId !== undefined) this.#byCall.set(toolCallId, place);
    return known === undefined ? place : undefined;
  }

  progress(spanId: string, text: string | undefined): void {
    if (text !== undefined) this.#bySpan.get(spanId)?.say(text);
  }

  /** @returns the tool's name, where it was at work */
  end(spanId: string, how: Pick<Facts, "state" | "output" | "error">): string | undefined {
    const place = this.#bySpan.get(spanId);
    this.#bySpan.delete(spanId);
    place?.change(how);
    return place?.name;
  }

  /**
   * A tool that ran at the provider: a model's end has what it was given, what it gave, or both.
   * @returns its place, where it is not another one's result
   */
  ranElsewhere(spanId: string, content: Extract<Content, { type: "tool" }>): ToolPlace | undefined {
    const { name, id: toolCallId, data } = content;
    const place = toolCallId === undefined ? undefined : this.#byCall.get(toolCallId);
    if (place?.writer === spanId) {
      const { input, output } = place.part;
      const asked = place.state === "writing" ? input : (inputIn(output) ?? output);
      place.change({ state: "done", input: asked, output: data });
      this.#written = this.#written.filter((one) => one !== place);
      return undefined;
    }
    const own = new ToolPlace({ name, toolCallId, state: "done", output: data }, spanId);
    if (toolCallId !== undefined) this.#byCall.set(toolCallId, own);
    return own;
  }

  /** What the span wrote and nobody began is void. */
  reset(spanId: string): void {
    this.#written = this.#written.filter((place) => !place.isVoidWith(spanId));
    for (const [id, place] of this.#byCall) if (place.isVoidWith(spanId)) this.#byCall.delete(id);
  }

  /** The run is over, and nothing more is heard of those that are open. */
  stop(): void {
    for (const place of [...this.#written, ...this.#bySpan.values()]) {
      place.change({ state: "stopped" });
    }
  }

  /** The place of the call that a tool begins to answer. */
  #called(toolCallId: string | undefined, name: string): ToolPlace | undefined {
    if (toolCallId === undefined) return this.#written.find((one) => one.name === name);
    const place = this.#byCall.get(toolCallId);
    return place?.state === "writing" || place?.state === "failed" ? place : undefined;
  }
}

/** What providers tell of a call of their own tools has its arguments in it. */
function inputIn(data: Json | undefined): Json | undefined {
  return typeof data === "object" && data !== null && !Array.isArray(data) ? data.input : undefined;
}
