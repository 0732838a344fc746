import type { BotInfo } from "langwire-client";
import { useConnection } from "langwire-client/react";
import { useEffect, useState } from "react";
import { useBots } from "./bots/use-bots.ts";
import { replaceRoute, useConversationInRoute } from "./browser/route.ts";
import { ChatPane } from "./chat/chat-pane.tsx";
import { Sidebar } from "./conversations/sidebar.tsx";
import { useConversations } from "./conversations/use-conversations.ts";
import { MenuIcon } from "./elements/icons.tsx";
import { errorText, words } from "./language/words.ts";
import { Identity } from "./session/identity.tsx";
import { type Session, useSession } from "./session/session.ts";
import { SignIn } from "./session/sign-in.tsx";

export function App() {
  const session = useSession();
  const { error } = useConnection(session.client);
  const bots = useBots(session.client);
  const refusal = [error, bots.error].find((failure) => failure?.code === "UNAUTHORIZED");
  if (refusal !== undefined) return <SignIn reason={errorText(refusal)} session={session} />;
  return <Rooms session={session} bots={bots.items} />;
}

function Rooms({
  session,
  bots,
}: {
  readonly session: Session;
  readonly bots: readonly BotInfo[];
}) {
  const { client, userId } = session;
  const conversations = useConversations(client);
  const inRoute = useConversationInRoute();
  const draft = useDraft(inRoute);
  const menu = useMenu();
  const startNew = () => {
    draft.renew();
    replaceRoute(undefined);
    menu.close();
  };
  return (
    <div className="app" data-menu={menu.isOpen ? "open" : "closed"}>
      <button type="button" className="skip" onClick={focusMessageField}>
        {words.skipToMessageField}
      </button>
      <aside className="sidebar" id="sidebar" aria-label="Langwire">
        <Sidebar
          conversations={conversations}
          bots={bots}
          currentId={inRoute}
          onNew={startNew}
          onOpen={menu.close}
          footer={<Identity session={session} />}
        />
      </aside>
      <div className="backdrop" onClick={menu.close} aria-hidden="true" />
      <ChatPane
        key={`${userId} ${draft.isShown ? `draft ${draft.number}` : inRoute}`}
        client={client}
        userId={userId}
        bots={bots}
        conversationId={inRoute}
        isDraft={draft.isShown}
        onStarted={(conversationId) => {
          draft.started(conversationId);
          replaceRoute(conversationId);
        }}
        onActivity={() => void conversations.refresh()}
        onNew={startNew}
        menuButton={
          <button
            type="button"
            className="menu"
            aria-label={words.conversations}
            aria-expanded={menu.isOpen}
            aria-controls="sidebar"
            onClick={menu.toggle}
          >
            <MenuIcon />
          </button>
        }
      />
    </div>
  );
}

/** A conversation that is being begun here: it stays the same one when it gets its address. */
function useDraft(inRoute: string | undefined) {
  const [draft, setDraft] = useState<{ number: number; conversationId?: string }>({ number: 1 });
  const isShown = inRoute === undefined || inRoute === draft.conversationId;
  if (!isShown && draft.conversationId !== undefined) setDraft({ number: draft.number + 1 });
  return {
    number: draft.number,
    isShown,
    renew: () => setDraft({ number: draft.number + 1 }),
    started: (conversationId: string) => setDraft({ ...draft, conversationId }),
  };
}

/** On narrow screens the list lies over the conversation. */
function useMenu() {
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const onKeyDown = ({ key }: KeyboardEvent) => {
      if (key === "Escape") setOpen(false);
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
  return { isOpen, close: () => setOpen(false), toggle: () => setOpen(!isOpen) };
}

function focusMessageField(): void {
  document.getElementById("message-field")?.focus();
}
