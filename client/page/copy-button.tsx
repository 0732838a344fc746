import { useEffect, useState } from "react";
import { CopyIcon } from "./icons.tsx";

const confirmedMs = 2_000;

export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [outcome, setOutcome] = useState<"copied" | "failed">();
  useEffect(() => {
    if (outcome === undefined) return;
    const timer = setTimeout(() => setOutcome(undefined), confirmedMs);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setOutcome("copied");
    } catch {
      // Browsers offer the clipboard only to pages that came over HTTPS or from localhost.
      setOutcome("failed");
    }
  };
  return (
    <button type="button" className="quiet" onClick={() => void copy()}>
      <CopyIcon />
      <span aria-live="polite">
        {outcome === undefined ? label : outcome === "copied" ? "Copied" : "Could not copy"}
      </span>
    </button>
  );
}
