import { type FormEvent, useEffect, useId, useState } from "react";
import { useFocus } from "../browser/use-focus.ts";
import { words } from "../language/words.ts";
import { changeUser, defaultUserId, type Session, signIn, tryAgain } from "./session.ts";
import { signInAddress } from "./session-info.ts";

interface SignInProps {
  readonly reason: string;
  readonly session: Session;
}

/** For servers that ask who is calling: the application's own page to sign in, its name, or a token. */
export function SignIn({ reason, session: { info, userId } }: SignInProps) {
  if (info === undefined) return null;
  const { signInUrl, takesTokens } = info;
  if (signInUrl !== undefined) {
    return <SignInElsewhere reason={reason} url={signInAddress(signInUrl)} />;
  }
  if (takesTokens === false) return <SignInElsewhere reason={reason} />;
  return <TokenForm reason={reason} userId={userId} />;
}

interface ElsewhereProps {
  readonly reason: string;
  /** The application's page for it, where the server knows that. */
  readonly url?: string;
}

function SignInElsewhere({ reason, url }: ElsewhereProps) {
  useEffect(() => {
    const seen = () => {
      if (document.visibilityState === "visible") void tryAgain();
    };
    document.addEventListener("visibilitychange", seen);
    return () => document.removeEventListener("visibilitychange", seen);
  }, []);
  return (
    <main className="sign-in">
      <div className="card">
        <h1>{words.signIn}</h1>
        <p>{reason}</p>
        {url === undefined ? (
          <>
            <p>{words.signInElsewhere}</p>
            <button type="button" className="primary" onClick={() => void tryAgain()}>
              {words.tryAgain}
            </button>
          </>
        ) : (
          <a className="button primary" href={url}>
            {words.signIn}
          </a>
        )}
      </div>
    </main>
  );
}

interface TokenFormProps {
  readonly reason: string;
  /** The name that was given in place of a token. A server that needs none may have refused it. */
  readonly userId: string;
}

/** The token stays in this window and goes with it. */
function TokenForm({ reason, userId }: TokenFormProps) {
  const [token, setToken] = useState("");
  const field = useFocus<HTMLInputElement>();
  const fieldId = useId();
  const reasonId = useId();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (token.trim() !== "") signIn(token.trim());
  };
  return (
    <main className="sign-in">
      <form className="card" onSubmit={submit}>
        <h1>{words.signIn}</h1>
        <p id={reasonId}>{reason}</p>
        <label htmlFor={fieldId}>{words.token}</label>
        <input
          ref={field}
          id={fieldId}
          type="password"
          autoComplete="off"
          required
          aria-describedby={reasonId}
          value={token}
          onChange={(event) => setToken(event.target.value)}
        />
        <button type="submit" className="primary">
          {words.continue}
        </button>
        {userId !== defaultUserId && (
          <button type="button" onClick={() => changeUser(defaultUserId)}>
            {words.continueAs(defaultUserId)}
          </button>
        )}
      </form>
    </main>
  );
}
