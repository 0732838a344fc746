import type { Json } from "langwire-client";
import { useMemo, useRef } from "react";
import { useReachable } from "../browser/use-reachable.ts";
import { words } from "../language/words.ts";
import { CopyButton } from "./copy-button.tsx";

/** Characters that are drawn of one value: more is nothing to read, and holds the page up. */
const maxShown = 20_000;

/** A value as it can be read: a text as it is, anything else as JSON. Of a long one its beginning. */
export function Value({ value }: { readonly value: Json }) {
  const area = useRef<HTMLPreElement>(null);
  useReachable(area);
  const text = useMemo(() => textOf(value), [value]);
  const more = text.length - maxShown;
  return (
    <>
      <pre className="value" ref={area}>
        {more > 0 ? text.slice(0, maxShown) : text}
      </pre>
      {more > 0 && (
        <p className="faint">
          {words.moreCharacters(more)}
          <CopyButton label={words.copyAll} text={text} />
        </p>
      )}
    </>
  );
}

function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value, null, 2);
}
