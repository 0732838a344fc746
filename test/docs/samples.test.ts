/** What the documents tell their readers to write and to type works. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { settings } from "../../src/config/settings.ts";
import { type Bot, createModel } from "../../src/index.ts";
import { errorCodes } from "../../src/protocol/errors.ts";
import { startTestServer } from "../../src/testing/index.ts";
import { startMockProvider } from "../support/mock-provider.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { expectWholeRun } from "../support/transcript.ts";
import { followed, problemWith, untried } from "./known-commands.ts";
import { openSampleProject } from "./sample-project.ts";
import { commandsIn, documents, root, samplesIn } from "./samples.ts";

/** Others have a test that follows them, in a folder with what they install. */
const pages = (await documents()).filter((page) => !followed.test(page));
const samples = (await Promise.all(pages.map(samplesIn))).flat();
const of = (...languages: string[]) =>
  samples.filter(({ language }) => languages.includes(language));

test("every sample says what it is", () => {
  const languages = [
    "ts",
    "tsx",
    "sh",
    "json",
    "python",
    "env",
    "yaml",
    "promql",
    "nginx",
    "caddyfile",
    "haproxy",
    "sql",
    "text",
    "mermaid",
  ];
  const others = samples.filter(({ language }) => !languages.includes(language));
  expect(others.map(({ place, language }) => `${place} ${language}`)).toEqual([]);
});

test("TypeScript compiles against the packages, by their names", async () => {
  await using project = await openSampleProject();
  for (const sample of of("ts", "tsx")) await project.add(sample);
  expect(await project.typeCheck()).toBe("");
});

test("what README's client asks first is answered without a key, and not out of README", async () => {
  const client = (await samplesIn("README.md")).find(({ code }) => code.includes("createClient("));
  const [, message = ""] = /message: "([^"]+)"/.exec(client?.code ?? "") ?? [];
  const model = await createModel({ model: "local:" });
  const { text } = await model.invoke(message);
  expect(text).toContain("Song of soda water");
  expect(text).not.toContain("My documents");
});

test("bots that a sample exports answer", async ({ onTestFinished }) => {
  // For models that a sample makes itself: OpenAI's SDK takes it from here.
  await using provider = await startMockProvider();
  provider.answerAll({ steps: ["5"] });
  vi.stubEnv("OPENAI_BASE_URL", provider.baseUrl);
  onTestFinished(() => void vi.unstubAllEnvs());
  await using project = await openSampleProject();
  const exporting = of("ts").filter(({ code }) => /^export const bot\b/m.test(code));
  expect(exporting.length).toBeGreaterThan(0);
  const found: Bot[] = [];
  for (const sample of exporting) {
    const module: { bot: Bot } = await import(/* @vite-ignore */ await project.add(sample));
    found.push(module.bot);
  }
  await using server = await startTestServer({ bots: found });
  using client = wsClient(server.url);
  for (const { id } of found) {
    const input = {
      runId: randomUUID(),
      botId: id,
      conversationId: randomUUID(),
      message: "2 + 3",
    };
    const reading = read((options) => client.api.chat.send.subscribe(input, options));
    expect(expectWholeRun(await reading.completed), id).toMatchObject({ status: "completed" });
  }
});

describe("commands", () => {
  const commands = of("sh").flatMap((sample) =>
    commandsIn(sample).map((line) => [sample.place, line] as const),
  );
  test.each(commands)("%s: %s", (place, command) =>
    expect(problemWith(place.replace(/:\d+$/, ""), command)).toBeUndefined(),
  );

  test("are tried where it says so", () => expect(untried).toEqual([]));
});

test("each document that no sample is tried of here is followed by a test of its own", async () => {
  const guides = (await documents()).filter((page) => followed.test(page));
  const testOf = (page: string) =>
    page.startsWith("docs/guides/")
      ? `test/guides/${basename(page, ".md")}.test.ts`
      : "test/docs/start.test.ts";
  expect(guides.filter((page) => !existsSync(join(root, testOf(page))))).toEqual([]);
});

test("JSON parses", () => {
  for (const { place, code } of of("json")) {
    expect(() => JSON.parse(code.replaceAll("…", "")), place).not.toThrow();
  }
});

test("settings are settings", () => {
  for (const { place, code } of of("env")) {
    for (const [, name = ""] of code.matchAll(/^(?:# )?([A-Z][A-Z0-9_]+)=/gm)) {
      expect(Object.keys(settings.shape), place).toContain(name);
    }
  }
});

test("Python compiles", async () => {
  for (const { place, code } of of("python")) {
    const compile = `compile(${JSON.stringify(code)}, ${JSON.stringify(place)}, "exec")`;
    await promisify(execFile)("/usr/bin/python3", ["-c", compile]);
  }
});

test("troubleshooting.md has an entry for every error code, and for nothing else", async () => {
  const page = await readFile(join(root, "docs/troubleshooting.md"), "utf8");
  const entries = [...page.matchAll(/^### (.+)$/gm)].map(([, code = ""]) => code);
  expect(entries.toSorted()).toEqual(errorCodes.toSorted());
  const settingsNamed = [...page.matchAll(/`([A-Z][A-Z]+_[A-Z_]+)`/g)].map(([, name = ""]) => name);
  expect(settingsNamed.filter((name) => !(name in settings.shape))).toEqual([]);
});
