/**
 * A Node script that asks a running server and prints the answer as it is made.
 *
 *   npm start                                   # in another terminal
 *   npm run example -- node-script "What is Langwire?"
 */
import { createClient } from "langwire-client";

const url = process.env.LANGWIRE_URL ?? "ws://127.0.0.1:3000/trpc";
const message = process.argv[3] ?? "What is Langwire?";

await using client = createClient({ url });
const run = client.send({ botId: "chat", message });
for await (const event of run) {
  if (event.type === "token") process.stdout.write(event.text);
  if (event.type === "runEnd") console.log(`\n[${event.status}]`, event.usage);
}
