import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { locale } from "./language/locale.ts";
import "./styles/base.css";
import "./styles/layout.css";
import "./styles/controls.css";
import "./styles/conversations.css";
import "./styles/chat.css";
import "./styles/parts.css";
import "./styles/markdown.css";
import "./styles/trace.css";
import "./styles/print.css";

document.documentElement.lang = locale.language;
const root = document.getElementById("root");
if (root === null) throw new Error("The page has no place to draw in.");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
