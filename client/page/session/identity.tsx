import { type FormEvent, useId, useState } from "react";
import { words } from "../language/words.ts";
import { changeUser, type Session, signOut } from "./session.ts";
import { useTheme } from "./theme.ts";

/** Who one is here, and how the page looks. */
export function Identity({ session }: { readonly session: Session }) {
  const [theme, nextTheme] = useTheme();
  return (
    <div className="identity">
      {session.token === undefined ? (
        <Name key={session.userId} userId={session.userId} />
      ) : (
        <button type="button" className="quiet" onClick={signOut}>
          {words.signOut}
        </button>
      )}
      <button type="button" className="quiet" onClick={nextTheme}>
        {words.theme[theme]}
      </button>
    </div>
  );
}

function Name({ userId }: { readonly userId: string }) {
  const [name, setName] = useState(userId);
  const fieldId = useId();
  const save = (event?: FormEvent) => {
    event?.preventDefault();
    const wanted = name.trim();
    if (wanted === "") setName(userId);
    else if (wanted !== userId) changeUser(wanted);
  };
  return (
    <form className="name" onSubmit={save}>
      <label htmlFor={fieldId}>{words.youAre}</label>
      <input
        id={fieldId}
        maxLength={100}
        autoComplete="off"
        spellCheck={false}
        value={name}
        onChange={(event) => setName(event.target.value)}
        onBlur={() => save()}
      />
    </form>
  );
}
