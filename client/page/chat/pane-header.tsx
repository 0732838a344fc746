import type { LangwireClient } from "langwire-client";
import type { ReactNode } from "react";
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
        <h1>{title}</h1>
        {subtitle !== undefined && <p className="faint">{subtitle}</p>}
      </div>
      <ConnectionLight client={client} />
      {children}
    </header>
  );
}
