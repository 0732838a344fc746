import { type FormEvent, useId, useState } from "react";
import { forgetDrafts } from "../composer/drafts.ts";
import { plainLine } from "../language/plain-line.ts";
import { words } from "../language/words.ts";
import { changeUser, type Session, signOut } from "./session.ts";
import { useTheme } from "./theme.ts";

/** Who one is here, and how the page looks. */
export function Identity({ session }: { readonly session: Session }) {
  const [theme, nextTheme] = useTheme();
  return (
    <div className="identity">
      {session.info?.user !== undefined && (
        <bdi className="known">{plainLine(session.info.user.name ?? session.info.user.userId)}</bdi>
      )}
      <WayOut session={session} />
      <button type="button" className="quiet" onClick={nextTheme}>
        {words.theme[theme]}
      </button>
    </div>
  );
}

/** Out, of a server that asks who one is; or, where it does not, to be somebody else. */
function WayOut({ session: { userId, token, info } }: { readonly session: Session }) {
  if (token !== undefined) {
    return (
      <button type="button" className="quiet" onClick={signOut}>
        {words.signOut}
      </button>
    );
  }
  if (info?.signOutUrl !== undefined) {
    return (
      <a className="button quiet" href={info.signOutUrl} onClick={forgetDrafts}>
        {words.signOut}
      </a>
    );
  }
  return info?.user === undefined ? <Name key={userId} userId={userId} /> : null;
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
