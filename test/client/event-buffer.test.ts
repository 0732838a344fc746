/** The events of a run, for any number of iterations that begin and lag behind as they like. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { EventBuffer } from "../../client/src/event-buffer.ts";
import type { ChatEvent } from "../../client/src/index.ts";
import { collect } from "./collect.ts";

type Step = ChatEvent | { readonly read: number };

const runId = "r";
const token = (spanId: string, text: string): ChatEvent => ({ type: "token", runId, spanId, text });

const anyEvent: fc.Arbitrary<ChatEvent> = fc.oneof(
  fc.record({ spanId: fc.constantFrom("a", "b"), text: fc.string() }).map((piece) => ({
    type: "token" as const,
    runId,
    ...piece,
  })),
  fc.constant({ type: "custom", runId, spanId: "a", name: "n" } as ChatEvent),
);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: anyEvent },
  { weight: 1, arbitrary: fc.record({ read: fc.nat(3) }) },
);

/** The events with neighbouring pieces of one span's text as one. */
function merged(events: readonly ChatEvent[]): ChatEvent[] {
  const all: ChatEvent[] = [];
  for (const event of events) {
    const last = all.at(-1);
    const goesOn = last?.type === "token" && event.type === "token" && last.spanId === event.spanId;
    if (goesOn) all[all.length - 1] = { ...last, text: last.text + event.text };
    else all.push(event);
  }
  return all;
}

test("every iteration gets all of it, however far it is behind", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep), async (steps) => {
      const buffer = new EventBuffer();
      const readers = Array.from({ length: 4 }, () => buffer[Symbol.asyncIterator]());
      const seen: ChatEvent[][] = readers.map(() => []);
      const reading = readers.map(() => Promise.resolve());
      const pushed: ChatEvent[] = [];
      for (const step of steps) {
        if ("read" in step) {
          const { read } = step;
          reading[read] = (reading[read] ?? Promise.resolve()).then(async () => {
            const next = await readers[read]?.next();
            if (next?.done === false) seen[read]?.push(next.value);
          });
          await Promise.resolve();
        } else {
          pushed.push(step);
          buffer.push(step);
        }
      }
      buffer.end();
      await Promise.all(reading);
      for (const [index, reader] of readers.entries()) {
        for await (const event of reader) seen[index]?.push(event);
        expect(merged(seen[index] ?? [])).toEqual(merged(pushed));
      }
      const late = await collect(buffer);
      expect(late).toEqual(merged(pushed));
    }),
  );
});

test("who keeps up gets each piece as it comes", async () => {
  const buffer = new EventBuffer();
  const reader = buffer[Symbol.asyncIterator]();
  for (const text of ["a", "b", "c"]) {
    const next = reader.next();
    buffer.push(token("s", text));
    expect((await next).value).toEqual(token("s", text));
  }
});

test("an error comes behind the last event, for those that begin later too, and the first counts", async () => {
  const buffer = new EventBuffer();
  const waiting = collect(buffer);
  buffer.push(token("s", "a"));
  const error = new Error("first");
  buffer.end(error);
  buffer.end(new Error("second"));
  buffer.end();
  await expect(waiting).rejects.toBe(error);
  const reader = buffer[Symbol.asyncIterator]();
  expect((await reader.next()).value).toEqual(token("s", "a"));
  await expect(reader.next()).rejects.toBe(error);
});

test("an end without an error stays one", async () => {
  const buffer = new EventBuffer();
  buffer.end();
  buffer.end(new Error("late"));
  expect(await collect(buffer)).toEqual([]);
});
