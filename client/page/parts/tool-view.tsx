import type { PartOf } from "langwire-client";
import { Disclosure } from "../elements/disclosure.tsx";
import { FailureDetail } from "../elements/failure-detail.tsx";
import { Value } from "../elements/value.tsx";
import { plainLine } from "../language/plain-line.ts";
import { errorText, words } from "../language/words.ts";

type Tool = PartOf<"tool">;

const maxName = 60;
/** Of what a tool is given, on its line: the end while it is written, the beginning after. */
const maxPreview = 120;

/** A tool that was used: a line, and behind it what it was given, what it said and what it gave. */
export function ToolView({ tool }: { readonly tool: Tool }) {
  const { name, state, inputText, input, progress, output, error } = tool;
  const facts = [
    [words.toolArguments, input ?? inputText],
    [words.toolProgress, progress],
    [words.toolResult, output],
  ] as const;
  const known = facts.filter(([, value]) => value !== undefined);
  const summary = (
    <>
      <span className="dot" aria-hidden="true" />
      <span className="tool-name">{plainLine(name).slice(0, maxName)}</span>
      <span className="faint tool-state">{words.toolState[state]}</span>
      <span className="faint tool-preview">{previewOf(tool)}</span>
    </>
  );
  return (
    <>
      {known.length === 0 ? (
        <div className="tool" data-state={state}>
          <div className="tool-head">{summary}</div>
        </div>
      ) : (
        <Disclosure className="tool" state={state} summary={summary}>
          {() => (
            <dl>
              {known.map(([title, value]) => (
                <div key={title}>
                  <dt>{title}</dt>
                  <dd>
                    <Value value={value ?? null} />
                  </dd>
                </div>
              ))}
            </dl>
          )}
        </Disclosure>
      )}
      {error !== undefined && (
        <div className="span-error">
          {errorText(error)} <code>{error.code}</code>
          <FailureDetail detail={error.detail} />
        </div>
      )}
    </>
  );
}

function previewOf({ inputText, input, state }: Tool): string {
  if (input === undefined && state === "writing")
    return plainLine((inputText ?? "").slice(-maxPreview));
  const given = input ?? inputText;
  if (given === undefined) return "";
  const text = typeof given === "string" ? given : JSON.stringify(given);
  return plainLine(text.slice(0, maxPreview));
}
