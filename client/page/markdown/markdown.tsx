import { memo, useState } from "react";
import type { Links } from "./reading/parse.ts";
import { MarkdownReader } from "./reading/reader.ts";
import type { Section } from "./reading/sections.ts";
import { SectionView } from "./section-view.tsx";
import { SelectionKeeper } from "./selection-keeper.tsx";

interface MarkdownProps {
  readonly text: string;
  readonly isStreaming: boolean;
}

/**
 * A bot's text. Raw HTML in it stays text, and nothing is loaded from its addresses: a model that was
 * made to write one could send the conversation there.
 */
export function Markdown({ text, isStreaming }: MarkdownProps) {
  const [reader] = useState(() => new MarkdownReader());
  const { groups, links } = reader.read(text);
  return (
    <SelectionKeeper text={text} isGrowing={isStreaming}>
      {groups.map((sections) => (
        <Group key={sections[0]?.start} sections={sections} links={links} />
      ))}
    </SelectionKeeper>
  );
}

interface GroupProps {
  readonly sections: readonly Section[];
  readonly links: Links;
}

const Group = memo(({ sections, links }: GroupProps) =>
  sections.map((section) => <SectionView key={section.start} section={section} links={links} />),
);
Group.displayName = "Group";
