import { expect, test } from "vitest";
import { begin, endingOf, exchange, newRun, type StorePlace, storeForEach } from "./store-place.ts";

export function describeStoreItself(newPlace: () => Promise<StorePlace>): void {
  const current = storeForEach(newPlace);

  test("answers a ping", async () => {
    await expect(current.store.ping()).resolves.toBeUndefined();
  });

  test("keeps everything for who opens it next", async () => {
    const { store, place } = current;
    const ended = await exchange(store);
    const { conversationId } = ended;
    const running = await begin(store, { conversationId });
    await store[Symbol.asyncDispose]();
    await using reopened = await place.open();
    expect(await reopened.runs.endedBetween(conversationId, 0, 5)).toMatchObject([ended]);
    expect(await reopened.runs.unfinished()).toEqual([running]);
    await reopened.runs.finish(endingOf(running));
    expect((await begin(reopened, { conversationId })).firstSeq).toBe(running.firstSeq + 10);
  });

  test("is unavailable once it is closed", async () => {
    const { store } = current;
    await store[Symbol.asyncDispose]();
    await store[Symbol.asyncDispose]();
    const unavailable = { code: "STORE_UNAVAILABLE", cause: expect.any(Error) };
    await expect(store.ping()).rejects.toMatchObject(unavailable);
    await expect(store.runs.claim(newRun())).rejects.toMatchObject(unavailable);
    await expect(store.conversations.isMember("x", "y")).rejects.toMatchObject(unavailable);
  });
}
