import { useState } from "react";
import { browserStorage } from "../browser/storage.ts";

const themes = ["system", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const key = "langwire-theme";
apply(stored());

/** @returns the theme, and what goes on to the next one */
export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState(stored);
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? "system";
  return [
    theme,
    () => {
      browserStorage.set(key, next);
      apply(next);
      setTheme(next);
    },
  ];
}

function stored(): Theme {
  const value = browserStorage.get(key);
  return themes.find((theme) => theme === value) ?? "system";
}

function apply(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
}
