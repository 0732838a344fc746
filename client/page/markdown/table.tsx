import { type ReactNode, useRef } from "react";
import { useReachable } from "../browser/use-reachable.ts";
import { words } from "../language/words.ts";

export function Table({ children }: { readonly children?: ReactNode }) {
  const area = useRef<HTMLElement>(null);
  useReachable(area);
  return (
    <section className="table" ref={area} aria-label={words.table}>
      <table dir="auto">{children}</table>
    </section>
  );
}
