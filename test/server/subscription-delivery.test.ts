/** A request for server-sent events whose reader leaves before it has begun: nothing is begun for them. */
import { randomUUID } from "node:crypto";
import { expect, onTestFinished, test } from "vitest";
import { openLangwire } from "../../src/open/open-langwire.ts";
import { deliverSubscription } from "../../src/server/http/subscription-delivery.ts";
import { servedRouter } from "../../src/server/served-router.ts";
import { scriptedBot } from "../security/scripted-bot.ts";

type Moment = "identified" | "admitted" | "asked";

/** Asks for a run, and leaves at a moment. */
async function ask(leavesWhen: Moment | undefined) {
  const langwire = await openLangwire({ bots: [scriptedBot()] });
  onTestFinished(() => langwire[Symbol.asyncDispose]());
  const left = new AbortController();
  const happened: string[] = [];
  const reach = (moment: Moment) => {
    happened.push(moment);
    if (moment === leavesWhen) left.abort();
  };
  const { claim } = langwire.store.runs;
  langwire.store.runs.claim = (run) => {
    happened.push("claimed");
    return claim.call(langwire.store.runs, run);
  };
  const json = { runId: randomUUID(), conversationId: randomUUID(), botId: "test", message: "Hi" };
  const input = encodeURIComponent(JSON.stringify({ json }));
  await deliverSubscription(servedRouter(langwire, {}), {
    path: "chat.send",
    request: { url: `/chat.send?input=${input}`, headers: {} },
    stream: {
      ready: () => undefined,
      deliver: async (events) => {
        await events.return();
        happened.push("delivered");
      },
      fail: () => void happened.push("failed"),
    },
    signal: left.signal,
    identify: async () => {
      reach("identified");
      return { userId: "ann" };
    },
    admit: async () => {
      reach("admitted");
      return () => reach("asked");
    },
    logFailure: () => void happened.push("logged"),
  });
  return happened;
}

test.each<[string, Moment | undefined, string[]]>([
  ["who stays", undefined, ["identified", "admitted", "claimed", "asked", "delivered"]],
  ["who leaves while they are looked up", "identified", ["identified"]],
  ["who leaves while they wait for their turn", "admitted", ["identified", "admitted", "asked"]],
])("%s", async (_who, leavesWhen, expected) => {
  expect(await ask(leavesWhen)).toEqual(expected);
});
