import type { AiMessage, Span } from "langwire-client/react";
import { useId, useState } from "react";
import { browserStorage } from "../browser/storage.ts";
import { ChevronIcon } from "../elements/icons.tsx";
import { messageOf } from "../language/message-of.ts";
import { plainLine } from "../language/plain-line.ts";
import { words } from "../language/words.ts";
import { allSpans, durationText, type RunTime, runTime } from "./figures.ts";
import { SpanRow } from "./span-row.tsx";

const key = "langwire-trace";

interface TraceProps {
  readonly message: AiMessage;
  /** Brings what happened inside a run that was over before. */
  readonly onLoad: (runId: string) => Promise<void>;
}

/** What happens inside a run: a line, and behind it a tree that grows while the run does. */
export function Trace({ message, onLoad }: TraceProps) {
  const [isOpen, setOpen] = useState(() => message.isTraced && browserStorage.get(key) === "open");
  const [wasLoaded, setLoaded] = useState(false);
  const [problem, setProblem] = useState<string>();
  const treeId = useId();
  const spans = allSpans(message.spans);
  const time = runTime(message, spans);
  const load = () => {
    setProblem(undefined);
    setLoaded(true);
    onLoad(message.runId).catch((error: unknown) => setProblem(messageOf(error)));
  };
  const toggle = () => {
    browserStorage.set(key, isOpen ? "closed" : "open");
    if (!isOpen && !message.isTraced) load();
    setOpen(!isOpen);
  };
  // Whoever asked for what was not kept is told so.
  if (message.isTraced && message.spans.length === 0 && !wasLoaded) return null;
  return (
    <div className="trace" data-status={message.status}>
      <button type="button" aria-expanded={isOpen} aria-controls={treeId} onClick={toggle}>
        <ChevronIcon />
        <span className="trace-line">{lineOf(message, { spans, time })}</span>
      </button>
      {isOpen && message.isTraced && spans.length > 0 && (
        <ul id={treeId} aria-label={words.stepsOfRun}>
          {message.spans.map((span) => (
            <SpanRow key={span.id} span={span} time={time} />
          ))}
        </ul>
      )}
      {isOpen && (!message.isTraced || spans.length === 0) && (
        <p id={treeId} className="faint" role="status">
          {problem ?? (message.isTraced ? words.nothingKept : words.loading)}
        </p>
      )}
    </div>
  );
}

function lineOf(
  { status, isTraced }: AiMessage,
  { spans, time }: { readonly spans: readonly Span[]; readonly time: RunTime },
): string {
  if (status === "streaming") return current(spans);
  // Of a run of long ago it is asked for.
  if (!isTraced || spans.length === 0) return words.howItWasMade;
  return summary(spans, durationText(time.endMs - time.startMs));
}

/** What the run is at: the innermost call that is open and does something of its own. */
function current(spans: readonly Span[]): string {
  const running = spans.findLast(({ kind, status }) => kind !== "chain" && status === "running");
  return running === undefined
    ? words.working
    : words.workingOn(plainLine(running.name).slice(0, maxNameLength));
}

/** Names of tools that are listed; of more there is the number. */
const maxNames = 3;
/** A server of tools may call one as it likes. */
const maxNameLength = 40;

/** What it did, as its reader would put it: tools by their names, the rest as a number of steps. */
function summary(spans: readonly Span[], duration: string): string {
  const used = spans.filter(({ kind }) => kind === "tool" || kind === "retriever");
  const names = [...new Set(used.map(({ name }) => plainLine(name).slice(0, maxNameLength)))];
  const listed = names.slice(0, maxNames);
  const more = names.length - listed.length;
  return words.steps({ names: listed, more, count: spans.length, duration });
}
