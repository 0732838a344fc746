/** `langwire start` with programs of a user's own: what of TypeScript they may be, and who may call. */
import { expect, test } from "vitest";
import { listening, openProject, runLangwire } from "./run-langwire.ts";

interface Listed {
  readonly result: { readonly data: { readonly json: readonly { id: string; title: string }[] } };
}

const lambda = 'import { RunnableLambda } from "@langchain/core/runnables";';

test("serves what TypeScript can say, to whom the program lets in", async () => {
  await using project = await openProject({
    "package.json": JSON.stringify({ type: "commonjs" }),
    "tsconfig.json": '{ "compilerOptions": { "paths": { "@/*": ["./lib/*"] } } } // a comment',
    "bots.ts": `import { defineBot, type Bot } from "langwire";
      ${lambda}
      import { Tone } from "@/tone";
      import { Greeter, Options } from "./lib/index.js";
      import answers from "./answers.json" with { type: "json" };
      namespace Words { export const end = "!"; }
      const greeter = new Greeter("hello");
      export const polite = defineBot({
        id: "polite-bot", title: "Polite", description: "",
        runnable: RunnableLambda.from(() => greeter.say(Tone.Polite) + Words.end),
      });
      export const json = RunnableLambda.from((): Options["name"] => answers.json);
      export default RunnableLambda.from(() => "default");
      export const helper = (bot: Bot) => bot.id;
      export const authenticate = ({ headers }: { headers: Record<string, unknown> }) => {
        if (headers["x-key"] !== "right") throw new Error("wrong key");
        return { userId: "ann" };
      };`,
    "lib/index.ts": `export interface Options { name: string }
      export class Greeter { constructor(private readonly word: string) {}
        say(tone: number) { return this.word + " " + tone; } }`,
    "lib/tone/index.ts": "export enum Tone { Rude, Polite }",
    "answers.json": '{ "json": "from a file" }',
  });
  await project.write(".env", "HOST=0.0.0.0\nPORT=1\n");
  await using started = project.start(["start", "bots.ts"]);
  const url = await listening(started);
  const listed = (key: string) =>
    fetch(`${url}/trpc/bots.list`, { headers: { "x-key": key } }).then(
      (answer) => answer.json() as Promise<Listed>,
    );
  const { result } = await listed("right");
  expect(result.data.json.map(({ id, title }) => [id, title])).toEqual([
    ["polite-bot", "Polite"],
    ["bots", "Bots"],
    ["json", "Json"],
  ]);
  expect(await listed("wrong")).toHaveProperty("error");
  expect(started.output).toContain('"exports":["helper"]');
});

test("is for this machine alone where nobody is authenticated", async () => {
  await using project = await openProject({
    "open.ts": `${lambda} export const chat = RunnableLambda.from(() => "hi");`,
  });
  const surroundings = { cwd: project.folder, env: { PORT: "0", HOST: "0.0.0.0" } };
  const { stderr } = await runLangwire(["open.ts"], surroundings);
  expect(stderr).toContain('HOST is "0.0.0.0": must be a loopback address');
});
