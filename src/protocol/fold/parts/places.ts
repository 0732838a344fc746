/**
 * The parts of one run in the order in which they came. A model that reasons, speaks and reasons again
 * has three; models that speak at the same time have one each. Tools stand where the first piece of
 * their call came; what a model, a tool or the bot's own code gave besides stands where it was given.
 */
import type { ChatEvent, EventOf } from "../../events.ts";
import type { PartOf } from "../../parts.ts";
import type { Said } from "../answer-fold.ts";
import {
  type Content,
  dataPart,
  documentPart,
  foundPart,
  known,
  oneSource,
  placeOf,
} from "./found-parts.ts";
import { SpokenPlace } from "./spoken-place.ts";
import { type ToolPlace, ToolPlaces } from "./tool-places.ts";

type Found = PartOf<"source" | "file" | "data">;

/** What was found or reported. Its part may be replaced by another. */
class FoundPlace<Part extends Found = Found> {
  part: Part;
  readonly #writer: string | undefined;

  /** @param writer the model span whose retry takes it back */
  constructor(part: Part, writer?: string) {
    this.part = part;
    this.#writer = writer;
  }

  isVoidWith(spanId: string): boolean {
    return this.#writer === spanId;
  }
}

export type Place = SpokenPlace | ToolPlace | FoundPlace;

export class Places {
  readonly #said: Said;
  readonly #reasoned: Said;
  #all: Place[] = [];
  readonly #tools = new ToolPlaces();
  /** Where each model span speaks. A call that it writes in between ends its text as well. */
  readonly #speaking = new Map<string, SpokenPlace>();
  /** Whose piece, of which kind, came last: the next is mostly of the same. */
  #lastSpanId: string | undefined;
  #lastKind: SpokenPlace["kind"] = "text";
  readonly #sources = new Map<string, FoundPlace<PartOf<"source">>[]>();
  readonly #channels = new Map<string, FoundPlace>();

  constructor(texts: { readonly said: Said; readonly reasoned: Said }) {
    this.#said = texts.said;
    this.#reasoned = texts.reasoned;
  }

  get all(): readonly Place[] {
    return this.#all;
  }

  /** Told of a piece before it is added to what the span has said. */
  speaks(kind: SpokenPlace["kind"], spanId: string): void {
    if (spanId === this.#lastSpanId && kind === this.#lastKind) return;
    const goesOn = this.#speaking.get(spanId)?.kind === kind;
    if (!goesOn) this.#silence(spanId);
    this.#lastSpanId = spanId;
    this.#lastKind = kind;
    if (goesOn) return;
    const texts = kind === "text" ? this.#said : this.#reasoned;
    const place = new SpokenPlace({ kind, spanId, texts });
    this.#speaking.set(spanId, place);
    this.#all.push(place);
  }

  /** Any other event than a piece of text or reasoning. */
  add(event: ChatEvent): void {
    switch (event.type) {
      case "toolInput":
        this.#push(this.#tools.write(event), event.spanId);
        break;
      case "toolStart":
        this.#push(this.#tools.start(event));
        break;
      case "toolProgress":
        this.#tools.progress(event.spanId, event.text);
        break;
      case "toolEnd":
        this.#toolEnded(event);
        break;
      case "llmEnd":
        this.#tools.asked(event.spanId, event.toolCalls);
        this.#given(event.content, { spanId: event.spanId, writer: event.spanId });
        break;
      case "retrieverEnd":
        for (const document of event.documents ?? []) {
          this.#source(documentPart(document, event.spanId));
        }
        break;
      case "custom": {
        const { name, data: value, spanId } = event;
        this.#push(new FoundPlace(dataPart("custom", { name, value, spanId })));
        break;
      }
      case "state":
        this.#holds(event);
        break;
      case "error": {
        const { spanId, code, message, retryable, retryAfterMs, detail } = event;
        const error = known({ code, message, retryable, retryAfterMs, detail });
        this.#tools.end(spanId, { state: "failed", error });
        break;
      }
      case "reset":
        this.#takeBack(event.spanId);
        break;
    }
  }

  /** The run is over. */
  stop(): void {
    this.#tools.stop();
  }

  /** @param writer the model span that wrote it */
  #push(place: Place | undefined, writer?: string): void {
    if (place === undefined) return;
    if (writer !== undefined) this.#silence(writer);
    this.#all.push(place);
  }

  /** What the span says next has a place of its own. */
  #silence(spanId: string): void {
    this.#speaking.get(spanId)?.close();
    this.#speaking.delete(spanId);
    this.#lastSpanId = undefined;
  }

  #toolEnded({ spanId, output, artifact, content }: EventOf<"toolEnd">): void {
    const name = this.#tools.end(spanId, { state: "done", output });
    this.#given(content, { spanId });
    if (artifact === undefined) return;
    const fields = { name: name ?? "tool", value: artifact, spanId };
    this.#push(new FoundPlace(dataPart("artifact", fields)));
  }

  #given(content: readonly Content[] = [], of: { spanId: string; writer?: string }): void {
    const { spanId, writer } = of;
    for (const one of content) {
      const part = foundPart(one, spanId);
      if (part?.type === "source") this.#source(part, writer);
      else if (part !== undefined) this.#push(new FoundPlace(part, writer));
      else if (one.type === "tool") this.#push(this.#tools.ranElsewhere(spanId, one));
    }
  }

  #source(part: PartOf<"source">, writer?: string): void {
    const at = placeOf(part);
    const places = this.#sources.get(at) ?? [];
    for (const place of places) {
      const both = oneSource(place.part, part);
      if (both === undefined) continue;
      place.part = both;
      return;
    }
    const place = new FoundPlace(part, writer);
    this.#sources.set(at, [...places, place]);
    this.#push(place);
  }

  #holds({ spanId, channel, value }: EventOf<"state">): void {
    const part = dataPart("state", { name: channel, value, spanId });
    const place = this.#channels.get(channel);
    if (place !== undefined) {
      place.part = part;
      return;
    }
    const first = new FoundPlace(part);
    this.#channels.set(channel, first);
    this.#push(first);
  }

  #takeBack(spanId: string): void {
    this.#speaking.delete(spanId);
    this.#lastSpanId = undefined;
    this.#tools.reset(spanId);
    this.#all = this.#all.filter((place) => !place.isVoidWith(spanId));
    for (const [at, places] of this.#sources) {
      this.#sources.set(
        at,
        places.filter((place) => !place.isVoidWith(spanId)),
      );
    }
  }
}
