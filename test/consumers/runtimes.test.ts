/** The packed client in other runtimes than the tests' own: Bun, Node.js 20, CommonJS, and what renders pages. */
import { fileURLToPath } from "node:url";
import { createElement, StrictMode } from "react";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type UseChat, useChat } from "../../client/src/react/index.ts";
import type { PackedProject } from "../packages/packed.ts";
import { mount } from "../react/browser.ts";
import { setUp } from "../react/setting.ts";
import { withOwnInstall } from "../support/own-install.ts";
import { openConsumer, ownProgram } from "./project.ts";

/** Sends a message and reads it back. */
const asks = `
const client = createClient({ url: process.argv[2], WebSocket: globalThis.WebSocket ?? WebSocket });
async function main() {
  const run = client.send({ botId: "chat", message: "Hi" });
  const { conversationId } = run;
  const types = [];
  const fold = new RunFold();
  for await (const event of run) {
    types.push(event.type);
    fold.add(event);
  }
  const { items } = await client.conversations.messages({ conversationId });
  console.log((await run.text).length, types[0], types.at(-1), items.length, fold.parts.length);
  await client.close();
}
main();
`;
/** Larger than a frame that comes whole where chunks were asked for. */
const answer = "Hello ".repeat(2_000);
const answered = `${answer.length} runStart runEnd 2 1\n`;

/** What came after 2022, which a runtime may not have. Some of it Node.js 20 has not either. */
const removesNewApis = `
// Node.js itself uses some of them when these are loaded.
import "ws";
const missing = [
  [Promise, ["withResolvers", "try"]],
  [Array, ["fromAsync"]],
  [Array.prototype, ["toReversed", "toSorted", "toSpliced", "with"]],
  [Object, ["groupBy"]],
  [Map, ["groupBy"]],
  [Set.prototype, ["union", "difference", "intersection", "isSubsetOf", "symmetricDifference"]],
  [String.prototype, ["isWellFormed", "toWellFormed"]],
  [AbortSignal, ["any", "timeout"]],
  [globalThis, ["Iterator", "structuredClone", "TextDecoder", "WebSocket", "EventSource"]],
];
for (const [holder, names] of missing) {
  for (const name of names) {
    if (!Reflect.deleteProperty(holder, name)) throw new Error(name + " cannot be removed");
  }
}
`;

const renders = `
import { createElement, StrictMode } from "react";
import { renderToString } from "react-dom/server";
import { createClient } from "langwire-client";
import { useChat, useConnection } from "langwire-client/react";

if (globalThis.WebSocket !== undefined) throw new Error("this has a WebSocket");
const [, , url, items] = process.argv;
const client = createClient({ url });
function View({ initialMessages }) {
  const chat = useChat({ client, botId: "chat", initialMessages });
  useConnection(client);
  const lines = chat.messages.map(({ text }) => text).join();
  return createElement("p", { id: chat.conversationId }, chat.status + " " + lines);
}
const view = createElement(View, { initialMessages: JSON.parse(items) });
console.log(renderToString(createElement(StrictMode, null, view)));
`;

await withOwnInstall("consumers", "the client in Bun, in Node.js 20 and as CommonJS", async () => {
  const node20 = ownProgram("node/bin/node");
  const bun = ownProgram("bun/bin/bun.exe");
  let project: PackedProject;

  beforeAll(async () => {
    project = await openConsumer();
    const uses = [
      ["createClient", "langwire-client"],
      ["RunFold", "langwire-client/fold"],
      ["WebSocket", "ws"],
    ];
    const imports = uses.map(([name, from]) => `import { ${name} } from "${from}";\n`).join("");
    const requires = uses
      .map(([name, from]) => `const { ${name} } = require("${from}");\n`)
      .join("");
    await project.write("asks.mjs", imports + asks);
    await project.write("asks.cjs", requires + asks);
    await project.write("removes.mjs", removesNewApis);
    await project.write("renders.mjs", renders);
  });
  afterAll(() => project?.[Symbol.asyncDispose]());

  test.each([
    ["Bun", [bun, "asks.mjs"]],
    ["Bun, as CommonJS", [bun, "asks.cjs"]],
    ["Node.js 20", [node20, "asks.mjs"]],
    ["Node.js 20, without what came after 2022", [node20, "--import=./removes.mjs", "asks.mjs"]],
    ["Node.js 20, as CommonJS", [node20, "--no-warnings", "asks.cjs"]],
    ["Node.js 24, as CommonJS", [process.execPath, "--no-warnings", "asks.cjs"]],
  ])("a message is sent and answered in %s", async (_what, [command = "", ...args]) => {
    const { url } = await setUp([{ tokens: [answer] }]);
    expect(await project.run(command, ...args, url)).toBe(answered);
  });

  test("the command line says in a line what it lacks in Node.js 20, and chats with it", async () => {
    const { url } = await setUp([{ tokens: ["Hello"] }]);
    const command = ["node_modules/langwire-client/bin/langwire-chat.cjs", "--url", url, "Hi"];
    await expect(project.run(node20, ...command)).rejects.toThrow(
      /\n\nlangwire-chat needs a WebSocket.* NODE_OPTIONS=--experimental-websocket gives it one\.\n$/,
    );
    const withIt = ["NODE_OPTIONS=--experimental-websocket", node20];
    expect(await project.run("env", ...withIt, ...command)).toContain("Hello");
  });

  test("the server's command says in a line that Node.js 20 is too old", async () => {
    const command = fileURLToPath(new URL("../../bin/langwire.cjs", import.meta.url));
    await expect(project.run(node20, command)).rejects.toThrow(
      /\n\nLangwire needs Node\.js [\d.]+ or later, and this is 20\.\S+ .*\n$/,
    );
  });

  test("what Node.js 20 renders is taken over in a browser without a difference", async () => {
    const { url, client } = await setUp([{ tokens: ["Hello"] }]);
    const { conversationId } = await client.conversations.create({ botId: "chat" });
    await client.send({ botId: "chat", conversationId, message: "Hi" }).ended;
    const { items } = await client.conversations.messages({ conversationId });
    const html = (await project.run(node20, "renders.mjs", url, JSON.stringify(items))).trim();
    expect(html).toBe('<p id="">ready Hi,Hello</p>');

    let chat: UseChat | undefined;
    function View() {
      chat = useChat({ client, botId: "chat", initialMessages: items });
      const lines = chat.messages.map(({ text }) => text).join();
      return createElement("p", { id: chat.conversationId }, `${chat.status} ${lines}`);
    }
    const complaints = vi.spyOn(console, "error");
    const page = mount(createElement(StrictMode, null, createElement(View)), { html });
    await expect.poll(() => chat?.conversationId).toBeTruthy();
    await page.shows("ready Hi,Hello");
    expect([...complaints.mock.calls, ...page.recovered]).toEqual([]);
  });

  test("the runtimes are those that are meant", async () => {
    expect(await project.run(node20, "-p", "process.version")).toMatch(/^v20\./);
    expect(await project.run(bun, "--version")).toMatch(/^1\./);
  });
});
