/** The command line of the chat. */
import { parseArgs } from "node:util";
import type { Json } from "../types.ts";

export interface ChatArguments {
  readonly message: string | undefined;
  /** What a typed bot is sent in place of a message. */
  readonly input: Json | undefined;
  readonly bot: string | undefined;
  readonly conversation: string | undefined;
  readonly url: string;
  readonly token: string | undefined;
  readonly user: string | undefined;
  readonly history: boolean;
  readonly json: boolean;
  readonly verbose: boolean;
  readonly help: boolean;
}

/** @param command the name under which it was called */
export const usageOf = (command: string) => `Usage: ${command} [options] [message]

Sends the message and shows the answer as it is made. Without a message, a
conversation begins that goes on until Ctrl-D. With - the message is read from
standard input.

  --bot <id>             who answers (the conversation's, or the server's first)
  --input <json>         sent in place of a message, to a bot that takes a value
  --conversation <uuid>  goes on with a conversation
  --history              shows first what was said in it, and nothing else without
                         a message
  --url <url>            the server (ws://127.0.0.1:3000/trpc, or where
                         "langwire chat" finds a PORT set, that one)
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
      bot: { type: "string" },
      input: { type: "string" },
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
  const { conversation, token, user, bot, ...rest } = values;
  if (values.history && conversation === undefined) {
    throw new Error("--history is of a --conversation, and none is named");
  }
  const message = positionals.length === 0 ? undefined : positionals.join(" ");
  if (values.input !== undefined && message !== undefined) {
    throw new Error("--input is sent in place of a message, and there is one");
  }
  const input = values.input === undefined ? undefined : jsonOf(values.input);
  return { ...rest, bot, conversation, token, user, message, input };
}

function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`--input is not JSON: ${reason}`, { cause });
  }
}
