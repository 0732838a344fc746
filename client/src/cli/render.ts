/** A run as lines on a terminal. No I/O: events in, text out. */
import { wasSaid } from "../../generated/fold/answer-spans.js";
import { MessageFold } from "../../generated/fold/message-fold.js";
import type { ChatEvent, EventOf, Failure, PartOf, Usage } from "../types.ts";
import { fileLine, sourceLines } from "./render-message.ts";
import { type Paint, payload, printable, type Style } from "./styles.ts";

export interface RenderOptions {
  readonly paint: Paint;
  /** Every chain's start and end, and not the outermost one's alone. */
  readonly allChains?: boolean;
  /** What was thrown, where the server says it. */
  readonly details?: boolean;
}

type FileContent = PartOf<"file">;

export class Renderer {
  readonly #paint: Paint;
  readonly #allChains: boolean;
  readonly #details: boolean;
  /** Chains whose start was shown, so that their end is shown as well. */
  readonly #shownChains = new Set<string>();
  #atLineStart = true;
  /** The span whose text the current line belongs to. */
  #speaker: string | undefined;
  readonly #message = new MessageFold();
  #lastError: string | undefined;

  constructor({ paint, allChains = false, details = false }: RenderOptions) {
    this.#paint = paint;
    this.#details = details;
    this.#allChains = allChains;
  }

  /** @returns what the event adds to the screen; often nothing */
  render(event: ChatEvent): string {
    if (event.type !== "runEnd") this.#message.add(event);
    switch (event.type) {
      case "runStart":
      case "llmStart":
      case "agentFinish":
        return "";
      case "llmEnd":
        return this.#files(event.content);
      case "chainStart":
        return this.#chainStart(event);
      case "chainEnd":
        return this.#shownChains.delete(event.spanId)
          ? this.#line("bold", "> Finished chain.")
          : "";
      case "token":
        return this.#text("cyan", event);
      case "reasoning":
        return this.#text("dim", event);
      case "agentAction":
        return this.#line("yellow", `Action: ${event.tool}${payload(event.input)}`);
      case "toolStart":
        return this.#line("yellow", `Tool ${event.name}${payload(event.input)}`);
      case "toolProgress":
      case "toolUpdate":
        return this.#progress(event);
      case "toolEnd":
        return (
          this.#line("yellow", `Tool finished${payload(event.output)}`) + this.#files(event.content)
        );
      case "toolInput":
        // Its arguments may take long, and come whole with the tool.
        return event.name === undefined ? "" : this.#line("dim", `Calls ${event.name}…`);
      case "output":
        // The end has it whole.
        return "";
      case "state":
        return this.#line("dim", `${event.channel}${payload(event.value)}`);
      case "retrieverStart":
        return this.#line("yellow", `Search ${event.name}${payload(event.query)}`);
      case "retrieverEnd":
        return this.#line("yellow", `Found ${event.documents?.length ?? "some"} documents`);
      case "text":
        return this.#text("dim", event);
      case "custom":
        return this.#line("dim", `${event.name}${payload(event.data)}`);
      case "reset":
        return this.#line("dim", "(starting over)");
      case "error":
        return event.source === "chain" && !this.#allChains ? "" : this.#error(event);
      case "runEnd":
        return this.#runEnd(event);
      default:
        // A newer server may say what this client has not learnt.
        return ignored(event);
    }
  }

  #chainStart({ spanId, parentSpanId, name }: EventOf<"chainStart">): string {
    if (parentSpanId !== undefined && !this.#allChains) return "";
    this.#shownChains.add(spanId);
    return this.#line("bold", `> Entering new ${name} chain...`);
  }

  #progress({ spanId, text, data }: Omit<EventOf<"toolProgress">, "type">): string {
    const said = text === undefined ? "" : this.#text("dim", { spanId, text });
    return text !== undefined && data === undefined
      ? said
      : said + this.#line("dim", `Tool reports${payload(data)}`);
  }

  #files(content: EventOf<"llmEnd">["content"] = []): string {
    const files = content.filter((one): one is FileContent => one.type === "file");
    return files.map((file) => this.#line("dim", fileLine(file))).join("");
  }

  #runEnd({ status, text, output, error, usage }: EventOf<"runEnd">): string {
    let shown = "";
    const { said, answerSpans: speakers, parts } = this.#message;
    if (!wasSaid({ said, speakers }, text)) shown += this.#line("cyan", text);
    if (output !== undefined) shown += this.#line("cyan", JSON.stringify(output, null, 2));
    for (const source of sourceLines(parts, (_style, line) => line)) {
      shown += this.#line("dim", source);
    }
    if (error !== undefined) shown += this.#error(error);
    if (status === "cancelled") shown += this.#line("yellow", "Cancelled.");
    if (usage !== undefined) shown += this.#line("dim", usageLine(usage));
    return shown + this.#endLine();
  }

  /** The same failure passes through spans and the run; it is shown once. */
  #error({ code, message, detail }: Pick<Failure, "code" | "message" | "detail">): string {
    const said = `${code}: ${message}`;
    if (said === this.#lastError) return "";
    this.#lastError = said;
    const shown = this.#details && detail !== undefined ? this.#line("dim", detail) : "";
    return this.#line("red", said) + shown;
  }

  #text(style: Style, { spanId, text }: { spanId: string; text: string }): string {
    const visible = printable(text);
    if (visible === "") return "";
    const start = this.#speaker === spanId ? "" : this.#endLine();
    this.#speaker = spanId;
    this.#atLineStart = visible.endsWith("\n");
    return start + this.#paint(style, visible);
  }

  #line(style: Style, text: string): string {
    const start = this.#endLine();
    return `${start}${this.#paint(style, printable(text))}\n`;
  }

  #endLine(): string {
    const end = this.#atLineStart ? "" : "\n";
    this.#atLineStart = true;
    this.#speaker = undefined;
    return end;
  }
}

function usageLine({ inputTokens, outputTokens, totalTokens }: Usage): string {
  return `Tokens: ${inputTokens} in, ${outputTokens} out, ${totalTokens} in all`;
}

function ignored(_event: never): string {
  return "";
}
