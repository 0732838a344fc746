/** Enough of a browser for React: a document, without a browser's network. */
import { type HTMLElement, Window } from "happy-dom";
import type { ReactNode } from "react";
import type { Root } from "react-dom/client";
import { onTestFinished } from "vitest";

const window = new Window();
Object.assign(globalThis, { window, document: window.document });
// React looks for a document when it is loaded.
const { createRoot, hydrateRoot } = await import("react-dom/client");
const { flushSync } = await import("react-dom");

export interface Mounted {
  readonly text: string;
  /** What React had to make good: a server's markup that is not the browser's, say. */
  readonly recovered: readonly unknown[];
  draw(node: ReactNode): void;
  /** Clicks what the selector finds first. @throws Error where it finds nothing */
  click(selector: string): void;
  unmount(): void;
  /** Settles once the text is there. */
  shows(text: string): Promise<void>;
}

/** @param options `html` is what a server rendered, to be taken over */
export function mount(node: ReactNode, options: { html?: string } = {}): Mounted {
  const container = window.document.createElement("div");
  window.document.body.append(container);
  const draw = (next: ReactNode) => flushSync(() => root.render(next));
  const unmount = () => root.unmount();
  const recovered: unknown[] = [];
  let root: Root;
  if (options.html === undefined) {
    root = createRoot(container as never);
    draw(node);
  } else {
    container.innerHTML = options.html;
    const onRecoverableError = (cause: unknown) => void recovered.push(cause);
    root = hydrateRoot(container as never, node, { onRecoverableError });
  }
  onTestFinished(unmount);
  return {
    get text() {
      return container.textContent;
    },
    recovered,
    draw,
    click: (selector) => {
      const found = container.querySelector(selector);
      if (found === null) throw new Error(`nothing to click is ${selector}`);
      (found as HTMLElement).click();
    },
    unmount,
    shows: (text) => changedUntil(container, () => container.textContent.includes(text)),
  };
}

function changedUntil(container: HTMLElement, isSo: () => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => {
    if (isSo()) resolve();
  };
  const observer = new window.MutationObserver(look);
  observer.observe(container, { childList: true, characterData: true, subtree: true });
  look();
  return promise.finally(() => observer.disconnect());
}
