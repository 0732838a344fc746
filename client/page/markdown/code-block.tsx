import { memo, useRef } from "react";
import { useReachable } from "../browser/use-reachable.ts";
import { CopyButton } from "../elements/copy-button.tsx";
import { words } from "../language/words.ts";
import { useTurn } from "./turns.ts";

interface CodeBlockProps {
  /** What is written behind the fence: the language, and more. */
  readonly info: string;
  /** The code in pieces, with the line ends between them. */
  readonly parts: readonly string[];
}

export function CodeBlock({ info, parts }: CodeBlockProps) {
  const area = useRef<HTMLPreElement>(null);
  useReachable(area);
  const [language = words.plainText] = info.split(/\s/, 1).filter((word) => word !== "");
  return (
    <figure className="code">
      <figcaption>
        <span>{language}</span>
        <CopyButton label={words.copyCode} text={parts.join("")} />
      </figcaption>
      <pre ref={area}>
        <code>
          {parts.map((text, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a piece keeps its place
            <CodePart key={index} text={text} />
          ))}
        </code>
      </pre>
    </figure>
  );
}

const CodePart = memo(({ text }: { readonly text: string }) => {
  const isDue = useTurn(text.length);
  return isDue ? text : null;
});
CodePart.displayName = "CodePart";
