import type { ReactNode } from "react";

interface OutLinkProps {
  readonly href: string;
  readonly children?: ReactNode;
}

/** A link in what a bot wrote: it opens elsewhere, and says nothing of where it was. */
export function OutLink({ href, children }: OutLinkProps) {
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}
