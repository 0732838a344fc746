/** What a socket opens, says and tells, whatever the platform's own does under it: by the clock of a test. */
import { expect, test, vi } from "vitest";
import { wait } from "./scripted-link.ts";
import { type PlatformOptions, type ScriptedSocket, scriptedSocket } from "./scripted-socket.ts";

interface Case extends PlatformOptions {
  readonly name: string;
  readonly play: (setting: ScriptedSocket) => unknown;
  readonly says: readonly string[];
}

const bytes = (text: string, from = 0, to?: number) =>
  new TextEncoder().encode(text).slice(from, to).buffer;
const opened = ["0 opens ws://x", "0 tells open"];

const cases: readonly Case[] = [
  {
    name: "it opens when it is due, and not before",
    isDue: false,
    play: async ({ due, base, socket }) => {
      await wait(100);
      socket.send("lost");
      due();
      await wait(0);
      expect([base.binaryType, socket.readyState]).toEqual(["arraybuffer", 0]);
      base.is("open");
      expect(socket.readyState).toBe(1);
    },
    says: ["100 opens ws://x", "100 tells open"],
  },
  {
    name: "closed before it was due, it never opens",
    isDue: false,
    play: async ({ due, socket, host }) => {
      socket.close();
      due();
      await wait(100);
      expect([socket.readyState, host.sockets.size]).toEqual([3, 0]);
    },
    says: ["0 tells error", "0 tells close"],
  },
  {
    name: "one that is not answered is given up in time",
    play: async ({ host, base }) => {
      await wait(999);
      await wait(1);
      expect(host.sockets.size).toBe(0);
      base.is("open");
      base.is("close", { code: 1006 });
    },
    says: [
      "0 opens ws://x",
      "1000 failed",
      "1000 tells error",
      "1000 tells close",
      "1000 terminates",
    ],
  },
  {
    name: "where the platform cannot do that, it is closed",
    platform: "cannot terminate",
    play: () => wait(1_000),
    says: ["0 opens ws://x", "1000 failed", "1000 tells error", "1000 tells close", "1000 closes"],
  },
  {
    name: "one that is refused fails, with its code",
    play: ({ base }) => {
      base.is("error");
      base.is("close", { code: 1006 });
    },
    says: ["0 opens ws://x", "0 failed", "0 tells error", "0 tells close 1006"],
  },
  {
    name: "a class that throws fails with what it threw",
    platform: "throws",
    play: () => wait(5_000),
    says: ["0 opens ws://x", "0 failed broken", "0 tells error", "0 tells close"],
  },
  {
    name: "where there is none, that is said",
    platform: "has none",
    play: () => {},
    says: [
      "0 failed No WebSocket here: pass a class as an option.",
      "0 tells error",
      "0 tells close",
    ],
  },
  {
    name: "an open one that is lost is told with its code, once",
    play: async ({ base, socket }) => {
      base.is("open");
      base.is("close", { code: 1012 });
      base.is("close", { code: 1006 });
      base.is("message", { data: "late" });
      socket.send("late");
      expect(socket.readyState).toBe(3);
      await wait(100_000);
    },
    says: [...opened, "0 tells close 1012"],
  },
  {
    name: "a platform's failure to send is no error",
    platform: "cannot send",
    play: ({ base, socket }) => {
      base.is("open");
      socket.send("a");
    },
    says: [...opened, "0 sends a"],
  },
  {
    name: "closed, it waits a moment for the other end's word, and asks nothing more",
    play: async ({ base, socket, host }) => {
      base.is("open");
      socket.close(1000, "bye");
      expect(socket.readyState).toBe(2);
      host.wake();
      base.is("message", { data: "last" });
      await wait(500);
      base.is("close", { code: 1000 });
      await wait(5_000);
    },
    says: [...opened, "0 closes 1000 bye", "0 tells message last", "500 tells close 1000"],
  },
  {
    name: "and no longer than that",
    play: async ({ base, socket }) => {
      base.is("open");
      socket.close();
      await wait(999);
      socket.close();
      await wait(1);
      base.is("message", { data: "late" });
      base.is("close", { code: 1000 });
    },
    says: [...opened, "0 closes", "999 closes", "1000 tells close"],
  },
  {
    name: "a message in chunks is one, whatever it is cut in; the next is another",
    play: ({ base }) => {
      base.is("open");
      const text = "ä€";
      for (const [from, to] of [
        [0, 1],
        [1, 3],
        [3, 5],
      ]) {
        base.is("message", { data: bytes(text, from, to) });
      }
      base.is("message", { data: "" });
      base.is("message", { data: "whole" });
      base.is("message", { data: bytes("b") });
      base.is("message", { data: "" });
    },
    says: [...opened, "0 tells message ä€", "0 tells message whole", "0 tells message b"],
  },
  {
    name: "silent, it is pinged, and given up when it goes on",
    play: async ({ base }) => {
      base.is("open");
      base.is("message", { data: "a" });
      await wait(5_000);
      await wait(2_000);
    },
    says: [
      ...opened,
      "0 tells message a",
      "5000 sends PING",
      "7000 tells close",
      "7000 terminates",
    ],
  },
  {
    name: "its own ping's answer is told to nobody, and how long it took is kept; that of tRPC's is, in their order",
    play: async ({ base, socket, host }) => {
      base.is("open");
      socket.send("PING");
      await wait(100);
      host.wake();
      await wait(100);
      base.is("message", { data: "PONG" });
      base.is("message", { data: "a" });
      await wait(500);
      base.is("message", { data: "PONG" });
      expect(host.pongTimeout.ms).toBe(1_800);
      await wait(100);
      base.is("message", { data: "PONG" });
    },
    says: [
      ...[...opened, "0 sends PING", "100 sends PING"],
      ...["200 tells message PONG", "200 tells message a", "800 tells message PONG"],
    ],
  },
  {
    name: "a handshake that took long allows answers to take as long",
    isDue: false,
    play: async ({ base, host, due }) => {
      await wait(100);
      due();
      await wait(900);
      base.is("open");
      expect(host.pongTimeout.ms).toBe(1_350);
    },
    says: ["100 opens ws://x", "1000 tells open"],
  },
  {
    name: "a request that nothing answers is asked after; a ping or pong of tRPC's asks nothing",
    play: async ({ base, socket }) => {
      base.is("open");
      base.is("message", { data: "hi" });
      socket.send("PONG");
      socket.send("PING");
      await wait(1_000);
      socket.send("question");
      await wait(400);
      base.is("message", { data: bytes("a") });
      await wait(3_000);
      socket.send("another");
      await wait(5_000);
    },
    says: [
      ...[...opened, "0 tells message hi", "0 sends PONG", "0 sends PING"],
      ...["1000 sends question", "1400 sends PING", "4400 sends another", "4800 sends PING"],
      ...["6100 tells close", "6100 terminates"],
    ],
  },
  {
    name: "woken while it opens, it is given up once it has had the time of an answer, not before",
    isDue: false,
    play: async ({ host, due }) => {
      // What has not begun to open has had no time.
      await wait(5_000);
      host.wake();
      due();
      await wait(500);
      host.wake();
      Object.defineProperty(host.pongTimeout, "ms", { value: 501 });
      await wait(1);
      host.wake();
      await wait(1);
      host.wake();
    },
    says: [
      "5000 opens ws://x",
      "5502 failed",
      "5502 tells error",
      "5502 tells close",
      "5502 terminates",
    ],
  },
];

test.each(cases)("$name", async ({ play, says, ...options }) => {
  const setting = await scriptedSocket(options);
  await play(setting);
  expect(setting.transcript).toEqual(says);
  if (setting.socket.readyState === 3) expect(vi.getTimerCount()).toBe(0);
});

test("a listener for once is called once, and one that was taken off never", async () => {
  const { socket, base } = await scriptedSocket();
  const [once, always, off] = [vi.fn(), vi.fn(), vi.fn()];
  socket.addEventListener("message", once, { once: true });
  socket.addEventListener("message", always);
  socket.addEventListener("message", off);
  socket.removeEventListener("message", off);
  base.is("open");
  for (const data of ["a", "b"]) base.is("message", { data });
  expect(once).toHaveBeenCalledOnce();
  expect(always).toHaveBeenCalledTimes(2);
  expect(off).not.toHaveBeenCalled();
});
