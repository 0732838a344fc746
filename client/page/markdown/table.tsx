import { type ReactNode, useRef } from "react";
import { words } from "../language/words.ts";
import { useReachable } from "../use-reachable.ts";

export function Table({ children }: { readonly children?: ReactNode }) {
  const area = useRef<HTMLElement>(null);
  useReachable(area);
  return (
    <section className="table" ref={area} aria-label={words.table}>
      <table dir="auto">{children}</table>
    </section>
  );
}
