/**
 * Networks that break under this project's own readers: the client, its React chat and its transport for the
 * AI SDK have exactly what the server's log has, over either transport, whichever of them sent the message;
 * and so when the server refuses, for the moment, what comes back.
 */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { toUIMessages } from "../../client/src/ai-sdk/index.ts";
import type { LangwireClient, Run } from "../../client/src/index.ts";
import { LangwireError } from "../../src/protocol/errors.ts";
import type { ChatEvent } from "../../src/protocol/events.ts";
import type { Received } from "../support/stock-client.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";
import { faultRow } from "./fault-table.ts";
import { forSchedules, sized } from "./form.ts";
import { type Network, network, piece, strike } from "./network.ts";
import { merged } from "./oracle.ts";
import {
  connect,
  openChat,
  readRun,
  readUiMessages,
  startWatch,
  streamOf,
  type Way,
  ways,
} from "./our-readers.ts";
import { World } from "./world.ts";

let world: World;
/** How many of those that come back are refused next. */
let toRefuse = 0;

beforeAll(async () => {
  world = await World.start({ logBounds: { maxBytes: 4 * 1024 * 1024 } });
  const { runs } = world.server.langwire;
  for (const verb of ["send", "follow", "watch"] as const) {
    const real: (...args: never[]) => unknown = runs[verb].bind(runs);
    vi.spyOn(runs, verb).mockImplementation((async (...args: unknown[]) => {
      const { lastEventId } = args[1] as { lastEventId?: string };
      if (toRefuse > 0 && lastEventId !== undefined) {
        toRefuse -= 1;
        throw new LangwireError("OVERLOADED", { retryAfterMs: 5 });
      }
      return await real(...(args as never[]));
    }) as never);
  }
});

afterAll(async () => {
  vi.restoreAllMocks();
  await world[Symbol.asyncDispose]();
});

const schedule = fc.record({
  pieces: fc.array(piece, { minLength: 2, maxLength: 20 }),
  paceMs: fc.constantFrom(undefined, 1, 3),
  sentBy: fc.constantFrom("client", "chat", "AI SDK"),
  networks: fc.array(network, { minLength: 4, maxLength: 4 }),
  refusals: fc.nat({ max: 6 }),
});
type Schedule = typeof schedule extends fc.Arbitrary<infer T> ? T : never;

const eventsOf = (received: readonly Received[]) => merged(received).map(({ event }) => event);
const unnumbered = (events: readonly ChatEvent[]) => events.map((event) => ({ id: "", event }));

async function play(way: Way, it: Schedule): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const reader = async ({ blows }: Network) => {
    const proxy = stack.use(await startTcpProxy({ port: world.server.port }));
    return { client: stack.use(connect(way, proxy.port)), onEvent: strike({ blows }, { proxy }) };
  };
  const [one, two, three, four] = await Promise.all(it.networks.map(reader));
  if (!one || !two || !three || !four) throw new Error("four networks");
  const calm = stack.use(connect(way, world.server.port));
  const everybodyReads = Promise.withResolvers<void>();
  const half = it.pieces.length >> 1;
  const steps = [
    ...it.pieces.slice(0, half),
    { until: everybodyReads.promise },
    ...it.pieces.slice(half),
  ];
  const text = it.pieces.join("");
  const { message, conversationId } = world.newRun(
    { steps, ...(it.paceMs !== undefined && { paceMs: it.paceMs }) },
    randomUUID(),
  );
  await calm.conversations.create({ conversationId, botId: "test" });
  const undisturbed = calm.watch({ conversationId });
  await undisturbed.started;
  const watched = await startWatch(one.client, conversationId, one.onEvent);
  const shown = openChat(two.client, { conversationId }, two.onEvent);
  stack.defer(shown.close);
  await shown.until(({ status }) => status === "ready");
  toRefuse = it.refusals;

  let sent: Run | undefined;
  let stream: Awaited<ReturnType<typeof streamOf>> = null;
  if (it.sentBy === "client") {
    sent = three.client.send({ botId: "test", conversationId, message });
  } else if (it.sentBy === "chat") void shown.chat.send(message);
  else stream = await streamOf(four.client, { conversationId, message });
  const { value: first } = await undisturbed.next();
  const { runId } = first ?? expect.fail("no run");
  const run = sent ?? three.client.follow({ runId });
  const read = readRun(run, three.onEvent);
  stream ??= await streamOf(four.client, { conversationId });
  const made = readUiMessages(stream ?? expect.fail("no stream"), four.onEvent);
  everybodyReads.resolve();

  const [received, events, ui] = await Promise.all([watched.ended, read, made]);
  const ended = await shown.until(
    ({ status, messages }) => status === "ready" && messages.at(-1)?.status === "completed",
  );
  const asked = { runId, conversationId, message, botId: "test" };
  await world.judge(asked, { readers: { watcher: received }, text });
  expect(eventsOf(unnumbered(events))).toEqual(eventsOf(await world.log(asked)));
  expect([run.answer, await run.text]).toEqual([text, text]);
  await expectHistory(calm, conversationId, ended.messages, ui.message);
  expect(ui.failure).toBeUndefined();
  for (const [index, drawn] of shown.texts.entries()) {
    expect(text.startsWith(drawn)).toBe(true);
    expect(drawn.length).toBeGreaterThanOrEqual(shown.texts[index - 1]?.length ?? 0);
  }
}

/** What the chat shows and the AI SDK has made is what the server keeps. */
async function expectHistory(
  calm: LangwireClient,
  conversationId: string,
  shown: readonly { readonly text: string; readonly parts: readonly unknown[] }[],
  made: unknown,
): Promise<void> {
  const { items } = await calm.conversations.messages({ conversationId });
  expect(shown).toHaveLength(items.length);
  for (const [index, { text, parts, status }] of items.entries()) {
    const same = { text, ...(parts !== undefined && { parts }) };
    expect(shown[index]).toMatchObject(index === items.length - 1 ? { ...same, status } : same);
  }
  expect(made).toEqual(toUIMessages(items).at(-1));
}

test.for(ways)(
  "random schedules of cuts and refusals over %s",
  {
    timeout: 280_000,
  },
  async (way, context) => {
    const row = faultRow(context, `our clients over ${way}: random cuts, stalls and refusals`);
    await forSchedules(schedule, sized({ short: 6, full: 300 }), async (it) => {
      await play(way, it);
      row.cases += 1;
    });
  },
);
