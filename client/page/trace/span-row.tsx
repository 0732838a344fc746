import type { Json } from "langwire-client";
import type { Span } from "langwire-client/react";
import { memo } from "react";
import { FailureDetail } from "../elements/failure-detail.tsx";
import { Value } from "../elements/value.tsx";
import { errorText, words } from "../language/words.ts";
import { durationText, type RunTime, usageText } from "./figures.ts";

interface SpanRowProps {
  readonly span: Span;
  readonly time: RunTime;
}

export const SpanRow = memo(
  ({ span, time }: SpanRowProps) => {
    const facts = factsOf(span);
    const head = <SpanHead span={span} time={time} />;
    return (
      <li className="span" data-kind={span.kind} data-status={span.status}>
        {facts.length === 0 ? (
          <div className="span-head">{head}</div>
        ) : (
          <details>
            <summary className="span-head">{head}</summary>
            <dl>
              {facts.map((fact) => (
                <FactRow key={fact.id} {...fact} />
              ))}
            </dl>
          </details>
        )}
        {isCulprit(span) && span.error !== undefined && (
          <div className="span-error">
            {errorText(span.error)} <code>{span.error.code}</code>
            <FailureDetail detail={span.error.detail} />
          </div>
        )}
        {span.children.length > 0 && (
          <ul>
            {span.children.map((child) => (
              <SpanRow key={child.id} span={child} time={time} />
            ))}
          </ul>
        )}
      </li>
    );
  },
  (before, after) =>
    before.span === after.span &&
    before.time.startMs === after.time.startMs &&
    before.time.endMs === after.time.endMs,
);
SpanRow.displayName = "SpanRow";

/** The spans around a failure fail with it; it is shown once, at the innermost. */
function isCulprit({ children }: Span): boolean {
  return !children.some(({ status }) => status === "failed");
}

function SpanHead({ span, time }: SpanRowProps) {
  const { kind, name, model, status, usage } = span;
  const { left, width, durationMs } = barOf(span, time);
  return (
    <>
      <span className="dot" aria-hidden="true" />
      <span className="span-name">
        <span className="visually-hidden">
          {words.spanIs({ kind: words.spanKind[kind], status: words.spanStatus[status] })}
        </span>
        {name}
        {model !== undefined && model !== name && <span className="faint"> {model}</span>}
      </span>
      {usage !== undefined && <span className="span-usage faint">{usageText(usage)}</span>}
      <span className="lane" aria-hidden="true">
        <span className="bar" style={{ left: `${left}%`, width: `${width}%` }} />
      </span>
      <span className="span-time faint">
        {status === "running" ? "…" : durationText(durationMs)}
      </span>
    </>
  );
}

/** Where a span lies in its run, in percent. */
function barOf({ startedAt, endedAt }: Span, { startMs, endMs }: RunTime) {
  const totalMs = Math.max(1, endMs - startMs);
  const from = Date.parse(startedAt);
  const to = endedAt === undefined ? endMs : Date.parse(endedAt);
  const left = ((from - startMs) / totalMs) * 100;
  return { left, width: Math.max(1, ((to - from) / totalMs) * 100), durationMs: to - from };
}

interface Fact {
  /** Its key among the span's facts. */
  readonly id: string;
  readonly name: string;
  readonly value: Json;
}

function factsOf({ input, output, notes, finishReason }: Span): Fact[] {
  const facts = [
    { id: "input", name: words.spanInput, value: input },
    ...notes.flatMap(({ name, text, data }, index) => [
      { id: `text ${index}`, name, value: text },
      { id: `note ${index}`, name, value: data },
    ]),
    { id: "output", name: words.spanOutput, value: output },
    { id: "finish", name: words.spanFinish, value: finishReason },
  ];
  return facts.filter((fact): fact is Fact => fact.value !== undefined);
}

function FactRow({ name, value }: Fact) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        <Value value={value} />
      </dd>
    </div>
  );
}
