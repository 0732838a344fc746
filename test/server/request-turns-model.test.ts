/**
 * Requests of several connections and addresses at the moments of a schedule: of a connection one at a time and in
 * order, a few in a turn, none of who has left, and all others.
 */
import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { RequestTurns } from "../../src/server/http/request-turns.ts";
import { BeginTurns } from "../../src/server/pacing/begin-turns.ts";

const perTurn = 16;

interface Connection {
  readonly remoteAddress: string;
  destroyed: boolean;
}

interface Request {
  readonly socket: Connection;
  readonly number: number;
  readonly response: EventEmitter;
}

const connection = fc.nat(3);
const happening = fc.oneof(
  { weight: 6, arbitrary: fc.record({ sends: connection, count: fc.constantFrom(1, 1, 4, 20) }) },
  { weight: 6, arbitrary: fc.record({ isAnswered: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ leaves: connection }) },
  { weight: 3, arbitrary: fc.constant("turn" as const) },
);

/** Of any length up to that: without a size, of ten at most. */
const schedule = fc.array(happening, { maxLength: 40, size: "max" });

test("in turns, in order, and all of them", async () => {
  const property = fc.asyncProperty(schedule, async (happenings) => {
    const sockets = ["192.0.2.1", "192.0.2.1", "192.0.2.2", "2001:db8::1"].map(
      (remoteAddress): Connection => ({ remoteAddress, destroyed: false }),
    );
    const sent: Request[] = [];
    const begun: Request[] = [];
    const open: Request[] = [];
    let [begunThisTurn, most] = [0, 0];
    let [begunInVain, besideEachOther] = [false, false];
    const turns = new RequestTurns(new BeginTurns(), (request) => {
      const found = sent.find((it) => (it as unknown) === request) as Request;
      begunInVain ||= found.socket.destroyed;
      begun.push(found);
      open.push(found);
      begunThisTurn += 1;
      most = Math.max(most, begunThisTurn);
      besideEachOther ||= open.filter(({ socket }) => socket === found.socket).length > 1;
    });
    const nextTurn = async () => {
      begunThisTurn = 0;
      await turn();
    };
    const close = (request: Request) => {
      open.splice(open.indexOf(request), 1);
      request.response.emit("close");
    };
    for (const it of happenings) {
      if (it === "turn") await nextTurn();
      else if ("leaves" in it) {
        const socket = sockets[it.leaves] as Connection;
        socket.destroyed = true;
        for (const request of open.filter((each) => each.socket === socket)) close(request);
      } else if ("isAnswered" in it) {
        const request = open[it.isAnswered];
        if (request !== undefined) close(request);
      } else {
        const socket = sockets[it.sends] as Connection;
        for (let count = 0; count < it.count && !socket.destroyed; count++) {
          const request = { socket, number: sent.length, response: new EventEmitter() };
          sent.push(request);
          turns.take(
            request as unknown as IncomingMessage,
            request.response as unknown as ServerResponse,
          );
        }
      }
    }
    for (let left = sent.length + 2; left > 0; left--) {
      for (const request of [...open]) close(request);
      await nextTurn();
    }
    expect([begunInVain, besideEachOther, most > perTurn]).toEqual([false, false, false]);
    for (const socket of sockets) {
      const of = (all: readonly Request[]) => all.filter((request) => request.socket === socket);
      expect(of(begun)).toEqual(of(sent).slice(0, of(begun).length));
      if (!socket.destroyed) expect(of(begun).length).toBe(of(sent).length);
    }
  });
  await fc.assert(property, { numRuns: 100 });
});

test("addresses take turns, however many connections one of them has", async () => {
  const begun: string[] = [];
  const turns = new RequestTurns(
    new BeginTurns(),
    ({ socket }) => void begun.push(socket.remoteAddress ?? ""),
  );
  const ask = (remoteAddress: string) =>
    turns.take(
      { socket: { remoteAddress, destroyed: false } } as unknown as IncomingMessage,
      new EventEmitter() as unknown as ServerResponse,
    );
  for (let count = 0; count < 50; count++) ask("192.0.2.1");
  ask("192.0.2.2");
  expect(begun).toHaveLength(perTurn);
  await turn();
  expect(begun).toHaveLength(2 * perTurn);
  expect(begun).toContain("192.0.2.2");
});
