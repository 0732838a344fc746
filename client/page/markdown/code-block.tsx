import { isValidElement, type ReactNode, useRef } from "react";
import { CopyButton } from "../copy-button.tsx";
import { useReachable } from "../use-reachable.ts";

interface CodeProps {
  readonly className?: string;
  readonly children?: ReactNode;
}

/** @param props the one `code` element that Markdown puts into a `pre` */
export function CodeBlock({ children }: { readonly children?: ReactNode }) {
  const { className = "", children: text } = isValidElement<CodeProps>(children)
    ? children.props
    : {};
  const area = useRef<HTMLPreElement>(null);
  useReachable(area);
  const language = /language-(\S+)/.exec(className)?.[1];
  const code = typeof text === "string" ? text.replace(/\n$/, "") : "";
  return (
    <figure className="code">
      <figcaption>
        <span>{language ?? "text"}</span>
        <CopyButton label="Copy code" text={code} />
      </figcaption>
      <pre ref={area}>
        <code>{code}</code>
      </pre>
    </figure>
  );
}
