import { memo, type ReactNode, useRef } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import remarkGfm from "remark-gfm";
import { useReachable } from "../use-reachable.ts";
import { markdownBlocks } from "./blocks.ts";
import { CodeBlock } from "./code-block.tsx";

interface MarkdownProps {
  readonly text: string;
  readonly isStreaming: boolean;
}

/**
 * A bot's text. Raw HTML in it stays text, and nothing is loaded from its addresses: a model that was
 * made to write one could send the conversation there.
 */
export function Markdown({ text, isStreaming }: MarkdownProps) {
  return (
    <div className="markdown" data-streaming={isStreaming}>
      {markdownBlocks(text).map(({ start, text }) => (
        <Block key={start} text={text} />
      ))}
    </div>
  );
}

const plugins = [remarkGfm];

const components: Components = {
  a: ({ href, children }) => (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  ),
  img: ({ src, alt }) => (
    <a
      href={typeof src === "string" ? src : undefined}
      target="_blank"
      rel="noopener noreferrer nofollow"
    >
      {alt || "Image"}
    </a>
  ),
  pre: ({ children }) => <CodeBlock>{children}</CodeBlock>,
  table: ({ children }) => <Table>{children}</Table>,
};

const Block = memo(({ text }: { readonly text: string }) => (
  <ReactMarkdown remarkPlugins={plugins} components={components}>
    {text}
  </ReactMarkdown>
));
Block.displayName = "Block";

function Table({ children }: { readonly children?: ReactNode }) {
  const area = useRef<HTMLElement>(null);
  useReachable(area);
  return (
    <section className="table" ref={area} aria-label="Table">
      <table>{children}</table>
    </section>
  );
}
