/** The chat as `bin/langwire-chat.cjs` and `npm run chat` start it, where the server's package may be missing. */
import { chat } from "./chat.ts";

process.exitCode = await chat(process.argv.slice(2), "langwire-chat");
