import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { startTcpProxy } from "../support/tcp-proxy.ts";

async function startEcho() {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port };
}

function knock(port: number) {
  const socket = connect({ port, host: "127.0.0.1" });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  return { socket, closed };
}

async function dial(port: number) {
  const knocked = knock(port);
  await once(knocked.socket, "connect");
  return knocked;
}

test("carries bytes both ways", async () => {
  await using proxy = await startTcpProxy(await startEcho());
  const { socket } = await dial(proxy.port);
  socket.write("hello");
  const [data] = await once(socket, "data");
  expect(String(data)).toBe("hello");
  expect(proxy.carried).toEqual({ toServer: 5, toClient: 5 });
});

test("cuts what is open, and takes new connections", async () => {
  await using proxy = await startTcpProxy(await startEcho());
  const first = await dial(proxy.port);
  proxy.cut();
  await first.closed;
  const second = await dial(proxy.port);
  second.socket.write("again");
  expect(String((await once(second.socket, "data"))[0])).toBe("again");
});

test("refuses until it accepts again", async () => {
  await using proxy = await startTcpProxy(await startEcho());
  proxy.refuse();
  await knock(proxy.port).closed;
  proxy.accept();
  const { socket } = await dial(proxy.port);
  socket.write("in");
  expect(String((await once(socket, "data"))[0])).toBe("in");
});

test("holds everything back while it is paused, and loses nothing", async () => {
  await using proxy = await startTcpProxy(await startEcho());
  const { socket } = await dial(proxy.port);
  socket.write("1");
  await once(socket, "data");
  proxy.pause();
  socket.write("2");
  expect(proxy.carried).toEqual({ toServer: 1, toClient: 1 });
  const data = once(socket, "data");
  proxy.resume();
  expect(String((await data)[0])).toBe("2");
});

test("slows down to a rate", async () => {
  await using proxy = await startTcpProxy(await startEcho());
  proxy.throttle(100_000);
  const { socket } = await dial(proxy.port);
  const startedAt = performance.now();
  socket.write(Buffer.alloc(20_000));
  let received = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    received += chunk.length;
    if (received === 20_000) break;
  }
  expect(performance.now() - startedAt).toBeGreaterThan(150);
});
