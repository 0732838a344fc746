/** What tests say of a whole transcript. */
import { expect } from "vitest";
import type { ChatEvent, EventOf, EventType } from "../../src/protocol/events.ts";
import { chatEvent } from "../../src/protocol/events.ts";
import { beforeRun, nextOrder } from "../../src/protocol/order.ts";
import type { Received } from "./stock-client.ts";

/** Every event has its schema's shape, in the legal order, and the run has ended. */
export function expectWholeRun(received: readonly Received[]): EventOf<"runEnd"> {
  let order = beforeRun;
  for (const { event } of received) order = nextOrder(order, chatEvent.parse(event));
  expect(order.phase).toBe("ended");
  const last = received.at(-1)?.event;
  if (last?.type !== "runEnd") throw new Error("no runEnd at the end");
  return last;
}

export function tokensOf(received: readonly Received[]): string {
  return ofType(received, "token")
    .map(({ text }) => text)
    .join("");
}

export function ofType<T extends EventType>(received: readonly Received[], type: T): EventOf<T>[] {
  return received
    .map(({ event }) => event)
    .filter((event: ChatEvent): event is EventOf<T> => event.type === type);
}
