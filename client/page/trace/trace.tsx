import type { AiMessage, Span } from "langwire-client/react";
import { useId, useState } from "react";
import { ChevronIcon } from "../icons.tsx";
import { allSpans, durationText, runTime } from "./figures.ts";
import { SpanRow } from "./span-row.tsx";

const key = "langwire-trace";

/** What happens inside a run, as a tree that grows while it does. */
export function Trace({ message }: { readonly message: AiMessage }) {
  const [isOpen, setOpen] = useState(() => localStorage.getItem(key) !== "closed");
  const treeId = useId();
  const spans = allSpans(message.spans);
  const time = runTime(message, spans);
  const toggle = () => {
    localStorage.setItem(key, isOpen ? "closed" : "open");
    setOpen(!isOpen);
  };
  return (
    <div className="trace" data-status={message.status}>
      <button type="button" aria-expanded={isOpen} aria-controls={treeId} onClick={toggle}>
        <ChevronIcon />
        {message.status === "streaming"
          ? current(spans)
          : `${stepsText(spans)} in ${durationText(time.endMs - time.startMs)}`}
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

/** What the run is at: the innermost call that is open. */
function current(spans: readonly Span[]): string {
  const running = spans.findLast(({ status }) => status === "running");
  return running === undefined ? "Working…" : `Working: ${running.name}`;
}

function stepsText(spans: readonly Span[]): string {
  return spans.length === 1 ? "1 step" : `${spans.length} steps`;
}
