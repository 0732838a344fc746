/** What a socket is sent, by a real ws at both ends: whole, in order, each frame made once for its turn. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, onTestFinished, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { LogEntry } from "../../src/log/entry.ts";
import { FrameSender } from "../../src/server/connections/frames/frame-sender.ts";
import { frameHead } from "../../src/server/connections/frames/outgoing-frames.ts";
import { SendingTurn } from "../../src/server/connections/frames/sending-turn.ts";

async function setUp() {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as { port: number }).port}`);
  onTestFinished(() => client.terminate());
  const opened = once(client, "open");
  const received: string[] = [];
  client.on("message", (data) => void received.push(String(data)));
  const [webSocket, { socket }] = (await once(server, "connection")) as [
    WebSocket,
    { socket: Socket },
  ];
  await opened;
  const turn = new SendingTurn();
  const sender = new FrameSender({ webSocket, socket, turn, pacer: { ready: () => undefined } });
  return { sender, webSocket, socket, client, received, turn };
}

const entry = (seq: number, text: string) =>
  LogEntry.of(seq, { type: "token", runId: "run", spanId: "span", text });

test("frames of every kind arrive in the order in which they were sent, over many turns", async () => {
  const { sender, webSocket, client, received, turn } = await setUp();
  const long = "x".repeat(100_000);
  const sent: string[] = [];
  for (let index = 0; index < 50; index++) {
    for (const text of [`ascii ${index}`, `漢字 ${index}`, index % 10 === 0 ? long : "y"]) {
      sender.send(text);
      sent.push(text);
    }
    const frame = turn.frameOf(frameHead(1), entry(index, "ok"));
    sender.sendFrame(frame);
    sent.push("event");
    if (index % 3 === 0) await nextTurn();
  }
  await expect.poll(() => received.length).toBe(sent.length);
  expect(received.map((text) => (text.startsWith("{") ? "event" : text))).toEqual(sent);
  webSocket.close(4000, "over");
  expect(await once(client, "close")).toMatchObject({ 0: 4000 });
});

test("what is sent first in a turn is written at once, and the rest in one write at its end", async () => {
  const { sender, socket, received } = await setUp();
  const one = vi.spyOn(socket, "_write");
  const several = vi.spyOn(socket as Required<Socket>, "_writev");
  for (let index = 0; index < 5; index++) sender.send(`${index}`);
  expect([one.mock.calls.length, several.mock.calls.length]).toEqual([1, 0]);
  await expect.poll(() => received.length).toBe(5);
  expect([one.mock.calls.length, several.mock.calls.length]).toEqual([1, 1]);
});

test("a frame that has to wait keeps no more than its own bytes", async () => {
  const { sender, socket, client, turn } = await setUp();
  client.pause();
  do {
    for (let index = 0; index < 20; index++) sender.send("x".repeat(10_000));
    await nextTurn();
  } while (socket.writableLength === 0);
  const write = vi.spyOn(socket, "write");
  for (let seq = 0; seq < 3; seq++) sender.sendFrame(turn.frameOf(frameHead(1), entry(seq, "ok")));
  const held = write.mock.calls.map(([frame]) => (frame as Buffer).buffer.byteLength);
  const lengths = write.mock.calls.map(([frame]) => (frame as Buffer).length);
  expect(held).toEqual(lengths);
  expect(held).toHaveLength(3);
});

test("nothing is written behind a close frame", async () => {
  const { sender, webSocket, socket, client, received } = await setUp();
  sender.send("before");
  webSocket.close(4000);
  const write = vi.spyOn(socket, "write");
  sender.send("behind");
  expect(write).not.toHaveBeenCalled();
  await once(client, "close");
  expect(received).toEqual(["before"]);
});

test("an event is one frame to all subscriptions of an id, in its turn", async () => {
  const turn = new SendingTurn();
  const [one, other] = [entry(1, "漢"), entry(2, "字")];
  const frames = [1, 2, 1, 2].map((id) => turn.frameOf(frameHead(id), one));
  expect(frames[2]).toBe(frames[0]);
  expect(frames[3]).toBe(frames[1]);
  expect(String(frames[1])).toContain('{"id":2,"result":{"type":"data","id":"1"');
  expect(turn.frameOf(frameHead(1), other)).not.toBe(frames[0]);
  expect(turn.frameOf(frameHead(1), one)).toBe(frames[0]);
  await nextTurn();
  const again = turn.frameOf(frameHead(1), one);
  expect(again).not.toBe(frames[0]);
  expect(again).toEqual(frames[0]);
});

test("what a turn has made is free with the next young collection, though what a turn made before is old", async () => {
  setFlagsFromString("--expose-gc");
  const collect: (options: { type: "minor" | "major" }) => void = runInNewContext("gc");
  const turn = new SendingTurn();
  const head = frameHead(1);
  const turns = async (count: number) => {
    for (let seq = 0; seq < count; seq++) {
      turn.frameOf(head, entry(seq, "ok"));
      await new Promise(process.nextTick);
    }
  };
  const heapBytes = () => {
    for (let time = 0; time < 3; time++) collect({ type: "minor" });
    return process.memoryUsage().heapUsed;
  };
  await turns(1_000);
  collect({ type: "major" });
  const before = heapBytes();
  await turns(10_000);
  expect(heapBytes() - before).toBeLessThan(10_000 * 50);
});
