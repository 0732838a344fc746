import type { BotInfo } from "langwire-client";
import { useId } from "react";
import { words } from "../language/words.ts";

interface WelcomeProps {
  readonly bots: readonly BotInfo[];
  readonly botId: string;
  readonly onChoose: (botId: string) => void;
  readonly onSend: (text: string) => void;
}

export function Welcome({ bots, botId, onChoose, onSend }: WelcomeProps) {
  const name = useId();
  return (
    <div className="welcome">
      <h2>{words.whoToTalkTo}</h2>
      <fieldset className="bots">
        <legend className="visually-hidden">{words.bot}</legend>
        {bots.map(({ id, title, description }) => (
          <label key={id} className="bot">
            <input
              type="radio"
              name={name}
              value={id}
              checked={id === botId}
              onChange={() => onChoose(id)}
            />
            <span className="bot-title">{title}</span>
            <span className="faint">{description}</span>
          </label>
        ))}
      </fieldset>
      <ul className="suggestions" aria-label={words.suggestions}>
        {(words.suggestionsFor[botId] ?? []).map((text) => (
          <li key={text}>
            <button type="button" onClick={() => onSend(text)}>
              {text}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
