import type { Json } from "langwire-client";
import type { Span } from "langwire-client/react";
import { allSpans } from "../trace/figures.ts";

/** What a graph that was interrupted asks a person, as its bot wrote it: a text, or data. */
export function Questions({ spans }: { readonly spans: readonly Span[] }) {
  const asked = allSpans(spans).flatMap(({ id, notes }) =>
    notes
      .filter(({ type, name }) => type === "custom" && name === "interrupt")
      .map(({ data }, index) => ({ key: `${id} ${index}`, question: data })),
  );
  return asked.map(({ key, question }) => (
    <figure key={key} className="question">
      <figcaption className="faint">The bot asked</figcaption>
      {typeof question === "string" ? <p>{question}</p> : <Data value={question} />}
    </figure>
  ));
}

function Data({ value }: { readonly value: Json | undefined }) {
  return <pre>{JSON.stringify(value, null, 2)}</pre>;
}
