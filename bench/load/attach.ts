/** Making a long run, and attaching to it after its end. */
import { randomUUID } from "node:crypto";
import { openTrpc, type TrpcSocket } from "../clients/trpc.ts";
import { AnswerCheck, type Wanted, wish } from "./answers.ts";

interface Tracked {
  readonly id: string;
  readonly data: { type: string; text: string };
}

const user = { userId: "attacher" };
const conversations = new Map<string, string>();

/** One token a millisecond: each is read in a turn of its own and becomes an event of its own. */
const wantedOf = (tokens: number): Wanted => ({ kind: "paced", tokens, intervalMs: 1 });

export const attachCommands = {
  makeRun: async ({ url, tokens }: { url: string; tokens: number }) => {
    const runId = randomUUID();
    conversations.set(runId, randomUUID());
    await read(url, runId, tokens);
    return runId;
  },
  attach: ({ url, runId, tokens }: { url: string; runId: string; tokens: number }) =>
    read(url, runId, tokens),
};

/** @returns the run's events, the frames in which they came, and how long the first one took */
async function read(url: string, runId: string, tokens: number) {
  const client: TrpcSocket = await openTrpc(url, user);
  const wanted = wantedOf(tokens);
  const check = new AnswerCheck(wanted);
  let frames = 0;
  let events = 0;
  let firstMs = 0;
  const conversationId = conversations.get(runId);
  const input = { runId, conversationId, botId: "chat", message: wish(wanted) };
  const askedAtMs = performance.now();
  await client.subscribe("chat.send", input, ({ id, data }: Tracked) => {
    if (frames === 0) firstMs = performance.now() - askedAtMs;
    frames += 1;
    events = Number(id);
    if (data.type === "token") check.add(data.text);
    return undefined;
  });
  check.end();
  client.socket.close();
  return { events, frames, firstMs };
}
