/** Sockets that break, at every place and at random ones. */
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Reading, Received } from "../support/stock-client.ts";
import { faultRow } from "./fault-table.ts";
import { forSchedules, sized } from "./form.ts";
import { heapUsed } from "./memory.ts";
import { network, piece, strike } from "./network.ts";
import { type NetworkReader, World } from "./world.ts";

let world: World;

beforeAll(async () => {
  // Small, so that finished runs leave the log all the time.
  world = await World.start({ logBounds: { maxBytes: 4 * 1024 * 1024 } });
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
});

test("a cut after every single event of a run of 200", async (context) => {
  const row = faultRow(context, "socket cut before and after each of 200 events");
  const pieces = Array.from({ length: 190 }, (_, index) => `${index} `);
  const readers = await Promise.all(Array.from({ length: 200 }, () => world.reader()));
  const struck = readers.map(() => Promise.withResolvers<void>());
  const everybodyReads = Promise.withResolvers<void>();
  let control: Reading | undefined;
  /** Each piece goes out when the reader that is cut after the one before has been cut. */
  async function* steps() {
    await everybodyReads.promise;
    for (const piece of pieces) {
      yield piece;
      const read = await control?.until(({ type, ...event }) => {
        return type === "token" && "text" in event && event.text === piece;
      });
      await struck[Number(read?.id)]?.promise;
    }
  }
  const run = world.newRun({ steps: steps() });
  await using undisturbed = await world.reader();
  control = undisturbed.send(run);
  const readings = readers.map((reader, index) => {
    let isStruck = false;
    const reading: Reading = reader.send(run, () => {
      if (isStruck || Number(reading.received.at(-1)?.id) < index) return;
      isStruck = true;
      // Every other one comes back when all is over.
      if (index % 2 === 1) reader.proxy.refuse();
      reader.proxy.cut();
      row.cases += 1;
      struck[index]?.resolve();
    });
    return reading;
  });
  await Promise.all(readings.map((reading) => reading.until(() => true)));
  everybodyReads.resolve();
  await control.completed;
  for (const { proxy } of readers) proxy.accept();
  const transcripts = await Promise.all(readings.map(({ completed }) => completed));
  const names = Object.fromEntries(transcripts.map((it, index) => [`reader ${index}`, it]));
  const all = { ...names, undisturbed: control.received };
  await world.judge(run, { readers: all, text: pieces.join("") });
  expect((await world.log(run)).length).toBe(200);
  expect(row.cases).toBe(200);
  await Promise.all(readers.map((reader) => reader[Symbol.asyncDispose]()));
});

test("a cut before the first event, and the same runId twice", async (context) => {
  const row = faultRow(context, "socket cut before the first event: one provider call");
  for (let times = 0; times < 10; times++) {
    const gate = Promise.withResolvers<void>();
    const run = world.newRun({ steps: ["a", { until: gate.promise }, "b"] });
    await using first = await world.reader();
    await first.client.api.bots.list.query();
    first.proxy.pause("toClient");
    const index = world.provider.calls.length;
    const reading = first.send(run);
    await world.provider.call(index);
    first.proxy.cut();
    first.proxy.resume();
    await using second = await world.reader();
    const again = second.send(run);
    await again.until(({ type }) => type === "token");
    gate.resolve();
    const readers = { first: await reading.completed, second: await again.completed };
    await world.judge(run, { readers, text: "ab" });
    row.cases += 1;
  }
});

const schedule = fc.record({
  pieces: fc.array(piece, { minLength: 1, maxLength: 30 }),
  paceMs: fc.constantFrom(undefined, 1, 3),
  bytesPerWrite: fc.constantFrom(undefined, undefined, 7),
  senders: fc.array(network, { minLength: 1, maxLength: 3 }),
  watchers: fc.array(network, { maxLength: 2 }),
});

test("random schedules of cuts, stalls and refusals", { timeout: 280_000 }, async (context) => {
  const row = faultRow(context, "random schedules of cuts, stalls and refused connections");
  const schedules = sized({ short: 60, full: 1_000 });
  let heapHalfway = 0;
  await forSchedules(schedule, schedules, async (it) => {
    const { pieces, paceMs, bytesPerWrite } = it;
    const run = world.newRun({
      steps: pieces,
      ...(paceMs !== undefined && { paceMs }),
      ...(bytesPerWrite !== undefined && { bytesPerWrite }),
    });
    const readers: Record<string, Received[]> = {};
    const networks: NetworkReader[] = [];
    try {
      const sent = await Promise.all(
        it.senders.map(async (bad, index) => {
          const reader = await world.reader();
          networks.push(reader);
          const reading = reader.send(run, strike(bad, reader));
          readers[`sender ${index}`] = reading.received;
          return reading;
        }),
      );
      await sent[0]?.until(() => true);
      const watching = await Promise.all(
        it.watchers.map(async (bad, index) => {
          const reader = await world.reader();
          networks.push(reader);
          const reading = reader.watch(run.conversationId, strike(bad, reader), "0");
          readers[`watcher ${index}`] = reading.received;
          return reading.until(({ type }) => type === "runEnd");
        }),
      );
      await Promise.all(sent.map(({ completed }) => completed));
      await Promise.all(watching);
      const late = await world.reader();
      networks.push(late);
      readers.late = await late.send(run).completed;
      await world.judge(run, { readers, text: pieces.join("") });
      row.cases += 1;
      if (row.cases === schedules / 2) heapHalfway = heapUsed();
    } finally {
      await Promise.all(networks.map((reader) => reader[Symbol.asyncDispose]()));
    }
  });
  await expect.poll(() => world.server.server.connections.subscriptions).toBe(0);
  expect(heapUsed() - heapHalfway).toBeLessThan(8 * 1024 * 1024);
});

test("twenty watchers of one conversation", async (context) => {
  const row = faultRow(context, "20 watchers, random cuts: identical transcripts");
  const cuts = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 8 });
  const schedules = fc.array(cuts, { minLength: 20, maxLength: 20 });
  await forSchedules(schedules, sized({ short: 2, full: 10 }), async (schedule) => {
    const conversationId = randomUUID();
    await using sender = await world.reader();
    await sender.client.api.conversations.create.mutate({ conversationId, botId: "test" });
    const readers = await Promise.all(schedule.map(() => world.reader()));
    const readings = readers.map((reader, index) => {
      const [...gaps] = schedule[index] ?? [];
      let next = gaps.shift();
      return reader.watch(conversationId, (count) => {
        if (next === undefined || count < next) return;
        const gap = gaps.shift();
        next = gap && count + gap;
        reader.proxy.cut();
      });
    });
    const runs = ["one", "two", "three"].map((name) => {
      const pieces = Array.from({ length: 60 }, (_, index) => `${name} ${index} `);
      const run = world.newRun({ steps: pieces, paceMs: 1 }, conversationId);
      return { run, text: pieces.join("") };
    });
    // A watcher without a place starts from now: the first run waits until all of them watch.
    await expect.poll(() => world.server.server.connections.subscriptions).toBe(20);
    for (const { run } of runs) await sender.send(run).completed;
    const isLast = ({ type, runId }: { type: string; runId: string }) =>
      type === "runEnd" && runId === runs.at(-1)?.run.runId;
    await Promise.all(readings.map((reading) => reading.until(isLast)));
    const transcripts = Object.fromEntries(
      readings.map(({ received }, index) => [`watcher ${index}`, received]),
    );
    for (const { run, text } of runs) await world.judge(run, { readers: transcripts, text });
    row.cases += readers.reduce((cut, { proxy }) => cut + proxy.connections - 1, 0);
    await Promise.all(readers.map((reader) => reader[Symbol.asyncDispose]()));
  });
});
