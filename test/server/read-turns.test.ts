/** Reading in turns: whoever floods is read some of in each turn of the event loop, and everybody else first. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { PartialInput } from "../../src/server/pacing/partial-input.ts";
import { ReadTurns } from "../../src/server/pacing/read-turns.ts";
import { FakeSocket } from "./fake-socket.ts";

const kibibyte = 1024;
const fullRead = Buffer.alloc(64 * kibibyte);

function added(turns: ReadTurns, address: string): FakeSocket {
  const socket = new FakeSocket(address);
  turns.add(socket.asSocket);
  return socket;
}

test("what comes in small reads is never stopped", async () => {
  const turns = new ReadTurns();
  const socket = added(turns, "10.0.0.1");
  for (let count = 0; count < 100; count++) {
    socket.read(Buffer.alloc(kibibyte));
    expect(socket.isRead).toBe(true);
    await setImmediate();
  }
});

test("after a full read a socket waits for the next turn", async () => {
  const turns = new ReadTurns();
  const socket = added(turns, "10.0.0.1");
  socket.read(fullRead);
  expect(socket.isRead).toBe(false);
  await setImmediate();
  expect(socket.isRead).toBe(true);
});

test("of a hundred that flood some are read in a turn, and another address is next", async () => {
  const turns = new ReadTurns();
  const flooding = Array.from({ length: 100 }, () => added(turns, "10.0.0.1"));
  const honest = added(turns, "10.0.0.2");
  for (const socket of flooding) socket.read(fullRead);
  honest.read(fullRead);
  await setImmediate();
  expect(honest.isRead).toBe(true);
  expect(flooding.filter(({ isRead }) => isRead).length).toBeLessThan(8);
  for (let turn = 0; turn < 100; turn++) await setImmediate();
  expect(flooding.filter(({ isRead }) => !isRead)).toEqual([]);
});

test("whoever is read when a turn's bytes are used up waits, and small ones come back together", async () => {
  const turns = new ReadTurns();
  const sockets = Array.from({ length: 1_000 }, () => added(turns, "10.0.0.1"));
  for (const socket of sockets) socket.read(Buffer.alloc(2 * kibibyte));
  const stopped = sockets.filter(({ isRead }) => !isRead).length;
  expect(stopped).toBeGreaterThan(800);
  for (let turn = 0; turn < 12; turn++) await setImmediate();
  expect(sockets.filter(({ isRead }) => !isRead)).toEqual([]);
});

test("requests count, however short, and new connections of their address wait behind them", async () => {
  const turns = new ReadTurns();
  const asking = Array.from({ length: 20 }, () => added(turns, "10.0.0.1"));
  for (const socket of asking) turns.request(socket as unknown as Socket);
  expect(asking.filter(({ isRead }) => isRead).length).toBeLessThan(10);
  const [late, other] = [added(turns, "10.0.0.1"), added(turns, "10.0.0.2")];
  expect([late.isRead, other.isRead]).toEqual([false, true]);
  for (let turn = 0; turn < 4; turn++) await setImmediate();
  expect([...asking, late].filter(({ isRead }) => !isRead)).toEqual([]);
});

test("a connection that is held is read once it is released, in its turn", async () => {
  const turns = new ReadTurns();
  const socket = added(turns, "10.0.0.1");
  turns.hold(socket as unknown as Socket);
  await setImmediate();
  expect(socket.isRead).toBe(false);
  turns.release(socket as unknown as Socket);
  await setImmediate();
  expect(socket.isRead).toBe(true);
});

test("a connection that is held while it waits is passed over, and read once it is released", async () => {
  const turns = new ReadTurns();
  const [held, other] = [added(turns, "10.0.0.1"), added(turns, "10.0.0.1")];
  for (const socket of [held, other]) socket.read(fullRead);
  turns.hold(held.asSocket);
  // A second time is none.
  turns.hold(held.asSocket);
  await setImmediate();
  await setImmediate();
  expect([held.isRead, other.isRead]).toEqual([false, true]);
  turns.release(held.asSocket);
  await setImmediate();
  expect(held.isRead).toBe(true);
  held.read(fullRead);
  turns.release(held.asSocket);
  expect(held.isRead).toBe(false);
});

test("a socket whose stream wants nothing, or that has closed, is left alone", async () => {
  const turns = new ReadTurns();
  const [paused, closed] = [added(turns, "10.0.0.1"), added(turns, "10.0.0.1")];
  for (const socket of [paused, closed]) socket.read(fullRead);
  paused._handle.reading = false;
  Reflect.set(closed, "_handle", null);
  await setImmediate();
  expect(paused.isRead).toBe(false);
});

test("of two connections, neither is read to its end before the other", async () => {
  const turns = new ReadTurns();
  const order: number[] = [];
  const total = 4 * 1024 * kibibyte;
  const done = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    turns.add(socket);
    const id = socket.remotePort ?? 0;
    socket.on("data", () => order.push(id));
    socket.on("end", () => {
      if (++ended === 2) done.resolve();
    });
  });
  let ended = 0;
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  const clients = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
  await Promise.all(clients.map((client) => once(client, "connect")));
  for (const client of clients) client.end(Buffer.alloc(total));
  await done.promise;
  server.close();
  // libuv by itself reads up to 32 times in a row.
  let longest = 0;
  for (let at = 0, run = 0; at < order.length / 2; at++) {
    run = order[at] === order[at - 1] ? run + 1 : 1;
    longest = Math.max(longest, run);
  }
  expect(longest).toBeLessThan(16);
});

test("past the limit of all, whoever holds most is cut, of the address that holds most", () => {
  const cut: string[] = [];
  const partial = new PartialInput(1_000);
  const sender = (address: string, name: string) => ({ address, cutPartial: () => cut.push(name) });
  const [one, other] = [sender("10.0.0.1", "one"), sender("10.0.0.1", "other")];
  const honest = sender("10.0.0.2", "honest");
  partial.hold(honest, 400);
  partial.hold(one, 350);
  partial.hold(other, 200);
  expect([cut, partial.bytes]).toEqual([[], 950]);
  partial.hold(other, 260);
  expect([cut, partial.bytes]).toEqual([["one"], 660]);
  partial.hold(other, 0);
  partial.hold(honest, 0);
  expect(partial.bytes).toBe(0);
});

test("of addresses that hold nothing any more nothing is kept", () => {
  setFlagsFromString("--expose-gc");
  const collectGarbage: () => void = runInNewContext("gc");
  const partial = new PartialInput();
  const addresses = 20_000;
  const pass = (network: number) => {
    for (let index = 0; index < addresses; index++) {
      const address = `10.${network}.${index >> 8}.${index & 255}`;
      const sender = { address, cutPartial: () => {} };
      partial.hold(sender, 1_000);
      partial.hold(sender, 0);
    }
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const before = pass(1);
  // An address takes more than two hundred bytes.
  expect(pass(2) - before).toBeLessThan(50 * addresses);
});
