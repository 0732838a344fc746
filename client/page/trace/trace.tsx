import type { AiMessage, Span } from "langwire-client/react";
import { useId, useState } from "react";
import { ChevronIcon } from "../icons.tsx";
import { plainLine } from "../plain-line.ts";
import { browserStorage } from "../storage.ts";
import { allSpans, durationText, runTime } from "./figures.ts";
import { SpanRow } from "./span-row.tsx";

const key = "langwire-trace";

/** What happens inside a run: a line, and behind it a tree that grows while the run does. */
export function Trace({ message }: { readonly message: AiMessage }) {
  const [isOpen, setOpen] = useState(() => browserStorage.get(key) === "open");
  const treeId = useId();
  const spans = allSpans(message.spans);
  const time = runTime(message, spans);
  const toggle = () => {
    browserStorage.set(key, isOpen ? "closed" : "open");
    setOpen(!isOpen);
  };
  return (
    <div className="trace" data-status={message.status}>
      <button type="button" aria-expanded={isOpen} aria-controls={treeId} onClick={toggle}>
        <ChevronIcon />
        <span className="trace-line">
          {message.status === "streaming"
            ? current(spans)
            : `${summary(spans)} in ${durationText(time.endMs - time.startMs)}`}
        </span>
      </button>
      {isOpen && (
        <ul id={treeId} aria-label="Steps of the run">
          {message.spans.map((span) => (
            <SpanRow key={span.id} span={span} time={time} />
          ))}
        </ul>
      )}
    </div>
  );
}

/** What the run is at: the innermost call that is open and does something of its own. */
function current(spans: readonly Span[]): string {
  const running = spans.findLast(({ kind, status }) => kind !== "chain" && status === "running");
  return running === undefined
    ? "Working…"
    : `Working: ${plainLine(running.name).slice(0, maxNameLength)}`;
}

/** Names of tools that are listed; of more there is the number. */
const maxNames = 3;
/** A server of tools may call one as it likes. */
const maxNameLength = 40;

/** What it did, as its reader would put it: tools by their names, the rest as a number of steps. */
function summary(spans: readonly Span[]): string {
  const used = spans.filter(({ kind }) => kind === "tool" || kind === "retriever");
  const names = [...new Set(used.map(({ name }) => plainLine(name).slice(0, maxNameLength)))];
  const more = names.length > maxNames ? ` and ${names.length - maxNames} more` : "";
  const steps = spans.length === 1 ? "1 step" : `${spans.length} steps`;
  return names.length === 0
    ? steps
    : `Used ${names.slice(0, maxNames).join(", ")}${more} · ${steps}`;
}
