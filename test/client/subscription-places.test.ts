/** Where a subscription goes on, and how long it waits: without a socket, by the clock of a test. */

import { wait } from "./scripted-link.ts";
import { busy, type Case, end, lost, playEach, start, token } from "./subscription-cases.ts";

const places: readonly Case[] = [
  {
    name: "an event that comes twice is told once",
    play: ({ server }) => [5, 6, 6, 5, 7].map((id) => server.event(id, token)),
    says: ["0 asks behind nothing", "0 tells 5", "0 tells 6", "0 tells 7"],
  },
  {
    name: "the very first number there is, is told",
    play: ({ server }) => server.event(0, token),
    says: ["0 asks behind nothing", "0 tells 0"],
  },
  {
    name: "a new run's numbers from before are told, and its start once",
    play: ({ server }) => {
      server.event(10, end);
      server.event(9, token);
      for (const id of [8, 8]) server.event(id, start);
      server.event(9, token);
    },
    says: ["0 asks behind nothing", "0 tells 10", "0 tells 8 runStart", "0 tells 9"],
  },
  {
    name: "it begins behind what the caller has, and goes on behind what came",
    lastEventId: "4",
    play: async (it) => {
      it.server.fails(lost);
      await wait(50);
      it.server.event(4, token);
      it.server.event(5, token);
      it.server.fails(lost);
      await wait(50);
    },
    says: [
      "0 asks behind 4",
      "0 leaves",
      "50 asks behind 4",
      "50 tells 5",
      "50 leaves",
      "100 asks behind 5",
    ],
  },
  {
    name: "before its first event it comes back to where it began, at first",
    play: async (it) => {
      it.server.begins("7");
      it.server.begins("9");
      it.server.fails(lost);
      await wait(50);
      it.server.begins("9");
      it.server.event(8, token);
      it.server.fails(lost);
      await wait(50);
    },
    says: [
      "0 asks behind nothing",
      "0 started",
      "0 started",
      "0 leaves",
      "50 asks behind 7",
      "50 started",
      "50 tells 8",
      "50 leaves",
      "100 asks behind 8",
    ],
  },
  {
    name: "what ends without its end, and brought nothing, is asked for from one before",
    lastEventId: "1",
    play: async (it) => {
      for (let times = 0; times < 3; times++) {
        it.server.completes();
        await wait(1_000);
      }
    },
    says: [
      "0 asks behind 1",
      "0 leaves",
      "50 asks behind 0",
      "1000 leaves",
      "1100 asks behind 0",
      "2000 leaves",
      "2200 asks behind 0",
    ],
  },
  {
    name: "what had brought something goes on behind that, and what began nowhere begins again",
    play: async (it) => {
      it.server.completes();
      await wait(50);
      it.server.event(5, token);
      it.server.completes();
      await wait(50);
      it.server.completes();
      await wait(100);
    },
    says: [
      "0 asks behind nothing",
      "0 leaves",
      "50 asks behind nothing",
      "50 tells 5",
      "50 leaves",
      "100 asks behind 5",
      "100 leaves",
      "200 asks behind 5",
    ],
  },
];

const waits: readonly Case[] = [
  {
    name: "they double, on top of what the server asks for, up to the longest",
    play: async (it) => {
      it.server.received();
      for (const retryAfterMs of [400, 0, undefined, undefined, undefined, undefined]) {
        it.server.refuses({ ...busy, ...(retryAfterMs !== undefined && { retryAfterMs }) });
        await wait(1_000);
      }
    },
    says: [
      "0 asks behind nothing",
      "0 started",
      ...["0 leaves", "450 asks behind nothing", "1000 leaves", "1100 asks behind nothing"],
      ...["2000 leaves", "2200 asks behind nothing", "3000 leaves", "3400 asks behind nothing"],
      ...["4000 leaves", "4500 asks behind nothing", "5000 leaves", "5500 asks behind nothing"],
    ],
  },
  {
    name: "they are short again after an event, and not for a start alone",
    play: async (it) => {
      for (const help of ["none", "start", "event", "twice"]) {
        if (help === "start") it.server.begins("0");
        if (help === "event" || help === "twice") it.server.event(1, token);
        it.server.fails(lost);
        await wait(1_000);
      }
    },
    says: [
      ...["0 asks behind nothing", "0 leaves", "50 asks behind nothing"],
      ...["1000 started", "1000 leaves", "1100 asks behind 0"],
      ...["2000 tells 1", "2000 leaves", "2050 asks behind 1"],
      ...["3000 leaves", "3050 asks behind 1"],
    ],
  },
  {
    name: "one ends at once when the network is back; later there is nothing to wake",
    play: async (it) => {
      it.client.wake();
      it.server.fails(lost);
      await wait(10);
      it.client.wake();
      await wait(1_000);
      it.client.wake();
      await wait(1_000);
    },
    says: ["0 asks behind nothing", "0 leaves", "10 asks behind nothing"],
  },
  {
    name: "a pause ends one, and is not ended by one; resuming asks once",
    play: async (it) => {
      it.server.fails(lost);
      await wait(10);
      it.client.pause();
      await wait(1_000);
      it.client.resume();
      await wait(1_000);
    },
    says: ["0 asks behind nothing", "0 leaves", "1010 asks behind nothing"],
  },
  {
    name: "resuming in the middle of one asks at once, and once",
    play: async (it) => {
      it.server.fails(lost);
      await wait(10);
      it.client.resume();
      await wait(1_000);
      it.client.resume();
    },
    says: [
      "0 asks behind nothing",
      "0 leaves",
      "10 asks behind nothing",
      "1010 leaves",
      "1010 asks behind nothing",
    ],
  },
];

playEach("places", places);
playEach("waits", waits);
