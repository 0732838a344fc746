import type { BotInfo, LangwireClient, LangwireClientError } from "langwire-client";
import { useEffect, useState } from "react";
import { untilAnswered } from "../until-answered.ts";

interface KnownBots {
  /** Empty until the first answer. */
  readonly items: readonly BotInfo[];
  readonly error: LangwireClientError | undefined;
}

/** The bots that the server has. */
export function useBots(client: LangwireClient): KnownBots {
  const [items, setItems] = useState<readonly BotInfo[]>([]);
  const [error, setError] = useState<LangwireClientError>();
  useEffect(() => {
    const gone = new AbortController();
    setError(undefined);
    const { signal } = gone;
    const ask = async () => {
      setItems(await client.bots.list({ signal }));
      setError(undefined);
    };
    void untilAnswered(ask, { signal, onRefused: setError });
    return () => gone.abort();
  }, [client]);
  return { items, error };
}
