/** The command line of the chat. */
import { parseArgs } from "node:util";

export interface ChatArguments {
  readonly message: string | undefined;
  readonly bot: string;
  readonly conversation: string | undefined;
  readonly url: string;
  readonly token: string | undefined;
  readonly user: string | undefined;
  readonly history: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly help: boolean;
}

export const usage = `Usage: npm run chat -- [options] [message]

Sends the message and shows the answer as it is made. Without a message, a
conversation begins that goes on until Ctrl-D. With - the message is read from
standard input.

  --bot <id>             who answers (chat)
  --conversation <uuid>  goes on with a conversation
  --history              shows first what was said in it, and nothing else without
                         a message
  --url <url>            the server (ws://127.0.0.1:3000/trpc)
  --token <token>        proves who you are
  --user <id>            says who you are, to a server without authentication
  --json                 one event or message a line, as the server sent it
  --verbose              every chain, and not the outermost one alone; of an error
                         what was thrown, where a server in development says it
  --help                 this text

Ctrl-C cancels the run; once more leaves at once. NO_COLOR turns colours off, and
FORCE_COLOR=1 keeps them in a pipe.

Exit codes: 0 answered, 1 failed or refused, 2 wrong usage, 130 cancelled.
`;

/** @throws Error with a message for the user, when the arguments make no sense */
export function parseArguments(args: readonly string[]): ChatArguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      bot: { type: "string", default: "chat" },
      conversation: { type: "string" },
      url: { type: "string", default: "ws://127.0.0.1:3000/trpc" },
      token: { type: "string" },
      user: { type: "string" },
      history: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      verbose: { type: "boolean", default: false },
      help: { type: "boolean", default: false, short: "h" },
    },
  });
  if (!URL.canParse(values.url)) throw new Error(`--url is not a URL: ${values.url}`);
  const { conversation, token, user, ...rest } = values;
  if (values.history && conversation === undefined) {
    throw new Error("--history is of a --conversation, and none is named");
  }
  const message = positionals.length === 0 ? undefined : positionals.join(" ");
  return { ...rest, conversation, token, user, message };
}
