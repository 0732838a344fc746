/** One section of a text: what is around its parts. */
import { createElement, type ReactNode } from "react";
import { ErrorBoundary } from "../elements/error-boundary.tsx";
import { CodeBlock } from "./code-block.tsx";
import { Pieces, Written } from "./pieces.tsx";
import type { Links } from "./reading/parse.ts";
import { joinable, type Section, writtenOf } from "./reading/sections.ts";
import { Table } from "./table.tsx";
import { useTurn } from "./turns.ts";

/** A wider one is shown as it is written. */
const maxColumns = 50;

interface SectionViewProps {
  readonly section: Section;
  readonly links: Links;
}

/** What is around code and around a table, in characters that take as long to draw. */
const frameCost = 600;

export function SectionView({ section, links }: SectionViewProps) {
  const hasFrame = section.kind === "code" || section.kind === "table";
  const isDue = useTurn(hasFrame ? frameCost : 0);
  if (!isDue) return null;
  return (
    <ErrorBoundary of={section} fallback={<Written text={writtenOf(section)} />}>
      <Drawn section={section} links={links} />
    </ErrorBoundary>
  );
}

function Drawn({ section, links }: SectionViewProps): ReactNode {
  const { kind, parts, start } = section;
  switch (kind) {
    case "code":
      return <CodeBlock info={section.fence.info} parts={joinable(parts)} />;
    case "paragraph":
      if (parts.length === 1) return <Pieces parts={parts} reading="blocks" links={links} />;
      return (
        <p>
          <Pieces parts={parts} reading="words" links={links} />
        </p>
      );
    case "blocks":
      return <Pieces parts={parts} reading="blocks" links={links} />;
    case "written":
      return <Written text={writtenOf(section)} />;
    case "list": {
      const { number } = section.first;
      const props = number === undefined ? {} : { start: number };
      const items = <Pieces parts={parts} reading="items" links={links} />;
      return createElement(number === undefined ? "ul" : "ol", { dir: "auto", ...props }, items);
    }
    case "table": {
      const { head, columns } = section;
      if (columns > maxColumns) return <Written text={writtenOf(section)} />;
      return (
        <Table>
          <Pieces parts={[{ start, text: head, goesOn: false }]} reading="head" links={links} />
          <tbody>
            <Pieces parts={parts} reading="rows" head={head} links={links} />
          </tbody>
        </Table>
      );
    }
  }
}
