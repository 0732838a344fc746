import type { BotInfo } from "langwire-client";
import { useId } from "react";

interface WelcomeProps {
  readonly bots: readonly BotInfo[];
  readonly botId: string;
  readonly onChoose: (botId: string) => void;
  readonly onSend: (text: string) => void;
}

/** First messages for the bots that ship. */
const suggestions: Readonly<Record<string, readonly string[]>> = {
  chat: ["What is Langwire?", "炭酸水についての歌詞を書いてください。", "Write a song about rain"],
  agent: ["What is (12.5 + 3) * 4?", "What time is it in Tokyo?", "How does a client resume?"],
};

export function Welcome({ bots, botId, onChoose, onSend }: WelcomeProps) {
  const name = useId();
  return (
    <div className="welcome">
      <h2>Who would you like to talk to?</h2>
      <fieldset className="bots">
        <legend className="visually-hidden">Bot</legend>
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
      <ul className="suggestions" aria-label="Suggestions">
        {(suggestions[botId] ?? []).map((text) => (
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
