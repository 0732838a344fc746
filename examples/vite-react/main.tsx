import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Activity } from "./activity.tsx";
import { queryClient } from "./api.ts";
import { ChatWindow } from "./chat-window.tsx";

const conversationId = crypto.randomUUID();

const root = document.getElementById("root");
if (root === null) throw new Error("The page has no place to draw in.");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queryClient}>
      <ChatWindow conversationId={conversationId} />
      <Activity conversationId={conversationId} />
    </QueryClientProvider>
  </StrictMode>,
);
