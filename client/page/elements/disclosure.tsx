import { type ReactNode, useState } from "react";

interface DisclosureProps {
  readonly className: string;
  readonly state?: string | undefined;
  readonly summary: ReactNode;
  /** Drawn once it is opened: a message may have hundreds of them, and large ones. */
  readonly children: () => ReactNode;
}

export function Disclosure({ className, state, summary, children }: DisclosureProps) {
  const [wasOpened, setOpened] = useState(false);
  return (
    <details className={className} data-state={state} onToggle={() => setOpened(true)}>
      <summary>{summary}</summary>
      {wasOpened && children()}
    </details>
  );
}
