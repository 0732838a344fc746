import type { Json } from "langwire-client";
import { Value } from "../elements/value.tsx";
import { words } from "../language/words.ts";

/** What a graph that was interrupted asks a person, as its bot wrote it: a text, or data. */
export function Question({ question }: { readonly question: Json }) {
  return (
    <figure className="question">
      <figcaption className="faint">{words.botAsked}</figcaption>
      {typeof question === "string" ? <p>{question}</p> : <Value value={question} />}
    </figure>
  );
}
