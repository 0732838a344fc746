/** `langwire`: its arguments, out of the sources. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { chatBot } from "../../src/shipped/chat-bot.ts";
import { scriptedModel, startTestServer } from "../../src/testing/index.ts";
import { type Answer, runLangwire } from "./run-langwire.ts";

const text = (part: string) => expect.stringContaining(part);

describe("langwire", () => {
  test.each<[string[], Partial<Answer>]>([
    [["--help"], { code: 0, stdout: text("Usage: langwire [options] [command]") }],
    [["--version"], { code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/) }],
    [["begin"], { code: 2, stderr: text("unknown command 'begin'") }],
    [["langgraph.json"], { code: 2, stderr: text("unknown command 'langgraph.json'") }],
    [["start", "a.ts", "b.ts"], { code: 2, stderr: text("too many arguments") }],
    [["start", "--fast"], { code: 2, stderr: text("unknown option '--fast'") }],
    [["dev", "--help"], { code: 0, stdout: text("--no-open") }],
    [["types", "--help"], { code: 0, stdout: text("Usage: langwire types") }],
    [["chat", "--help"], { code: 0, stdout: text("Usage: langwire chat ") }],
    [["chat", "--help"], { code: 0, stdout: text("PORT") }],
    [["chat", "--colour"], { code: 2, stderr: text("See langwire chat --help.") }],
    [["admin", "--help"], { code: 0, stdout: text("Usage: langwire admin") }],
    [["admin", "list", "all"], { code: 2, stderr: text("See langwire admin --help.") }],
  ])("%j", async (args, answer) => {
    expect(await runLangwire(args)).toMatchObject(answer);
  });

  test("without a command starts the server", async () => {
    const env = { PORT: "70000" };
    expect(await runLangwire([], { env })).toMatchObject({ code: 1, stderr: text("PORT is") });
  });
});

test("a page that was not built is told before anything is served", async () => {
  const { code, stderr } = await runLangwire(["start", "--page", "src"], {
    env: { PORT: "70000" },
  });
  expect([code, stderr]).toEqual([2, text("There is no page in src: it has no index.html.")]);
});

describe("the commands that ask a server, in a folder with a .env", () => {
  test("ask the port that is set there, with the token that is set there", async () => {
    await using folder = await folderWith({
      PORT: "4999",
      ADMIN_TOKEN: "a token of twenty-four bytes",
    });
    const refused = await runLangwire(["admin", "list"], { cwd: folder.path });
    expect(refused).toMatchObject({ code: 1, stderr: text("at http://127.0.0.1:4999:") });
    const named = await runLangwire(["admin", "--url", "http://127.0.0.1:4998", "list"], {
      cwd: folder.path,
    });
    expect(named).toMatchObject({ code: 1, stderr: text("at http://127.0.0.1:4998:") });
  });

  test("chat there", async () => {
    const model = scriptedModel([{ tokens: ["It", " fizzes."] }]);
    await using server = await startTestServer({ bots: [chatBot({ model })] });
    await using folder = await folderWith({ PORT: String(server.port) });
    const said = await runLangwire(["chat", "Soda?"], { cwd: folder.path });
    expect(said).toMatchObject({ code: 0, stdout: text("It fizzes.") });
  });
});

async function folderWith(settings: Readonly<Record<string, string>>) {
  const path = await mkdtemp(join(tmpdir(), "langwire-dot-env-"));
  const lines = Object.entries(settings).map(([name, value]) => `${name}="${value}"\n`);
  await writeFile(join(path, ".env"), lines.join(""));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
