/** Any order of cuts, refusals and repetitions: the caller gets each event once, and in order. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ChatEvent } from "../../client/src/index.ts";
import { type Asked, startScriptedServer } from "./scripted-server.ts";
import { hello } from "./set-up.ts";

const runId = "r";
const lastSeq = 12;

/** Of alternating spans, so that none are joined. */
const events = new Map<number, ChatEvent>([
  [1, { type: "runStart", runId, message: "hi" } as ChatEvent],
]);
for (let seq = 2; seq < lastSeq; seq++) {
  events.set(seq, { type: "token", runId, spanId: String(seq), text: `${seq} ` });
}
const text = [...events.values()]
  .map((event) => (event.type === "token" ? event.text : ""))
  .join("");
events.set(lastSeq, { type: "runEnd", runId, status: "completed", text } as ChatEvent);

/** What the server does with one subscription before it is lost. */
const anyAttempt = fc.record({
  /** How many events before the wanted one come again. */
  repeated: fc.nat(3),
  sent: fc.nat(4),
  ending: fc.constantFrom("cut", "stopped", "busy" as const),
});

function play(
  one: Asked,
  { repeated, sent, ending }: { repeated: number; sent: number; ending: string },
) {
  const from = Number(one.input.lastEventId ?? 0) + 1;
  // The one that ends it comes only with the last attempt.
  const to = Math.min(from + sent, lastSeq);
  // A runStart that comes again is a new run's: its server lost its last moments in a crash.
  const first = from === 1 ? 1 : Math.max(2, from - repeated);
  for (let seq = first; seq < to; seq++) one.event(seq, events.get(seq) ?? {});
  if (ending === "cut") one.cut();
  else if (ending === "stopped") one.stopped();
  else one.refuse({ code: "OVERLOADED", retryable: true });
}

function playToTheEnd(one: Asked): void {
  for (let seq = Number(one.input.lastEventId ?? 0) + 1; seq <= lastSeq; seq++) {
    one.event(seq, events.get(seq) ?? {});
  }
}

test.each(["send", "follow", "watch"] as const)("%s: each event once, in order", async (verb) => {
  let attempts: { repeated: number; sent: number; ending: string }[] = [];
  const { client, asked } = await startScriptedServer((one) => {
    const attempt = attempts.shift();
    if (attempt === undefined) playToTheEnd(one);
    else play(one, attempt);
  });
  await fc.assert(
    fc.asyncProperty(fc.array(anyAttempt, { maxLength: 5 }), async (plan) => {
      // What is refused before anything came may be refused for good: the first attempt says something.
      attempts = plan.map((attempt, index) =>
        index === 0 ? { ...attempt, sent: Math.max(1, attempt.sent) } : attempt,
      );
      const first = asked.length;
      const seen: ChatEvent[] = [];
      const reading =
        verb === "watch"
          ? client.watch({
              conversationId: "5f942222-bc48-4f44-9804-7017f73f66ae",
              lastEventId: "0",
            })
          : verb === "follow"
            ? client.follow({ runId })
            : client.send(hello);
      for await (const event of reading) {
        seen.push(event);
        if (event.type === "runEnd") break;
      }
      expect(seen).toEqual([...events.values()]);
      // Each attempt asks behind what came before it.
      const places = asked.slice(first).map(({ input }) => Number(input.lastEventId ?? 0));
      expect(places).toEqual([...places].sort((a, b) => a - b));
      if (verb !== "watch" && "text" in reading) expect(await reading.text).toBe(text);
    }),
    { numRuns: 60 },
  );
});
