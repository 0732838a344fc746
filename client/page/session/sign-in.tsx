import { type FormEvent, useId, useState } from "react";
import { words } from "../language/words.ts";
import { useFocus } from "../use-focus.ts";
import { changeUser, defaultUserId, signIn } from "./session.ts";

interface SignInProps {
  readonly reason: string;
  /** The name that was given in place of a token. A server that needs none may have refused it. */
  readonly userId: string;
}

/** For servers that ask who is calling. The token stays in this window and goes with it. */
export function SignIn({ reason, userId }: SignInProps) {
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
