import { useEffect, useState } from "react";
import { copyText } from "../browser/copy-text.ts";
import { words } from "../language/words.ts";
import { CopyIcon } from "./icons.tsx";

const confirmedMs = 2_000;

export function CopyButton({ text, label }: { readonly text: string; readonly label: string }) {
  const [outcome, setOutcome] = useState<"copied" | "failed">();
  useEffect(() => {
    if (outcome === undefined) return;
    const timer = setTimeout(() => setOutcome(undefined), confirmedMs);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = async (button: HTMLButtonElement) => {
    const isCopied = await copyText(text, button);
    setOutcome(isCopied ? "copied" : "failed");
  };
  return (
    <button type="button" className="quiet" onClick={(event) => void copy(event.currentTarget)}>
      <CopyIcon />
      <span aria-live="polite">
        {outcome === undefined ? label : outcome === "copied" ? words.copied : words.couldNotCopy}
      </span>
    </button>
  );
}
