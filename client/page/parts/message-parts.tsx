import type { Part, PartOf } from "langwire-client";
import { Fragment, memo, useState } from "react";
import { Disclosure } from "../elements/disclosure.tsx";
import { Value } from "../elements/value.tsx";
import { plainLine } from "../language/plain-line.ts";
import { words } from "../language/words.ts";
import { Markdown } from "../markdown/markdown.tsx";
import { FileView } from "./file-view.tsx";
import { Question } from "./question.tsx";
import { Sources } from "./sources.tsx";
import { ToolView } from "./tool-view.tsx";

/** Parts that are drawn at first, from the message's two ends: a bot may report thousands. */
const maxFirst = 40;
const maxLast = 120;

interface MessagePartsProps {
  readonly parts: readonly Part[];
  readonly isStreaming: boolean;
}

/** What an answer is made of, in the order in which it came; what it rests on comes last. */
export function MessageParts({ parts, isStreaming }: MessagePartsProps) {
  const [isWhole, setWhole] = useState(false);
  const drawn = keyed(parts.filter(({ type }) => type !== "source"));
  const more = isWhole ? 0 : drawn.length - maxFirst - maxLast;
  const sources = parts.filter((part): part is PartOf<"source"> => part.type === "source");
  return (
    <>
      {drawn.map(([key, part], index) => {
        if (more > 0 && index >= maxFirst && index < maxFirst + more) return null;
        return (
          <Fragment key={key}>
            {more > 0 && index === maxFirst + more && (
              <button type="button" className="quiet" onClick={() => setWhole(true)}>
                {words.showMoreParts(more)}
              </button>
            )}
            <PartView part={part} isStreaming={isStreaming} />
          </Fragment>
        );
      })}
      <Sources sources={sources} />
    </>
  );
}

interface PartViewProps {
  readonly part: Part;
  readonly isStreaming: boolean;
}

const PartView = memo(({ part, isStreaming }: PartViewProps) => {
  switch (part.type) {
    case "text":
      return (
        <div className={part.final ? "said" : "step"}>
          <Markdown text={part.text} isStreaming={isStreaming} />
        </div>
      );
    case "reasoning":
      return (
        <details className="reasoning">
          <summary>{words.reasoning}</summary>
          <Markdown text={part.text} isStreaming={isStreaming} />
        </details>
      );
    case "tool":
      return <ToolView tool={part} />;
    case "file":
      return <FileView file={part} />;
    case "data":
      return <DataPart data={part} />;
    default:
      // Sources are listed together; a newer server may have parts that this page does not know.
      return null;
  }
});
PartView.displayName = "PartView";

function DataPart({ data }: { readonly data: PartOf<"data"> }) {
  const { name, value, origin } = data;
  if (origin === "custom" && name === "interrupt") return <Question question={value} />;
  const summary = (
    <>
      {plainLine(name).slice(0, 60)} <span className="faint">{words.dataOrigin[origin]}</span>
    </>
  );
  return (
    <Disclosure className="data" summary={summary}>
      {() => <Value value={value} />}
    </Disclosure>
  );
}

/** Its place among those of its kind names a part: a text stays what it is when a tool is taken back. */
function keyed(parts: readonly Part[]): [string, Part][] {
  const counts = new Map<string, number>();
  return parts.map((part) => {
    const count = (counts.get(part.type) ?? 0) + 1;
    counts.set(part.type, count);
    return [`${part.type} ${count}`, part];
  });
}
