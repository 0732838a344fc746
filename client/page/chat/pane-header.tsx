import type { LangwireClient } from "langwire-client";
import type { ReactNode } from "react";
import { plainLine } from "../language/plain-line.ts";
import { words } from "../language/words.ts";
import { ConnectionLight } from "./connection-light.tsx";

interface PaneHeaderProps {
  readonly client: LangwireClient;
  readonly menuButton: ReactNode;
  readonly title: string;
  readonly subtitle?: string;
  readonly children?: ReactNode;
}

export function PaneHeader({ client, menuButton, title, subtitle, children }: PaneHeaderProps) {
  return (
    <header className="pane-header">
      {menuButton}
      <div className="headline">
        <h1>
          <bdi>{plainLine(title, words.noTitle)}</bdi>
        </h1>
        {subtitle !== undefined && (
          <p className="faint">
            <bdi>{plainLine(subtitle)}</bdi>
          </p>
        )}
      </div>
      <ConnectionLight client={client} />
      {children}
    </header>
  );
}
