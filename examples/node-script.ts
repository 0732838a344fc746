/**
 * A Node script that asks a running server and prints the answer as it is made.
 *
 *   npm i langwire-client
 *   node node-script.ts "What is Langwire?"
 *
 * It asks the first bot of the server at LANGWIRE_URL, or the one whose id is in LANGWIRE_BOT.
 */
import { createClient } from "langwire-client";

const url = process.env.LANGWIRE_URL ?? "ws://127.0.0.1:3000/trpc";
const message = process.argv[2] ?? "What is Langwire?";

await using client = createClient({ url });
client.connection.subscribe(({ state, error }) => {
  if (state === "connecting" && error !== undefined) console.error(`Waiting: ${error.message}`);
});
try {
  const [first] = await client.bots.list();
  const botId = process.env.LANGWIRE_BOT ?? first?.id;
  if (botId === undefined) throw new Error("The server has no bots.");
  let streamed = "";
  for await (const event of client.send({ botId, message })) {
    if (event.type === "token") {
      streamed += event.text;
      process.stdout.write(event.text);
    }
    if (event.type === "runEnd") {
      // What no model said, but a program returned, comes at the end alone.
      console.log(streamed === "" ? event.text : "");
      console.log(`[${event.status}]`, event.usage);
    }
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
