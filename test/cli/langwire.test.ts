/** `langwire`: its arguments, out of the sources. */
import { describe, expect, test } from "vitest";
import { type Answer, runLangwire } from "./run-langwire.ts";

const text = (part: string) => expect.stringContaining(part);

describe("langwire", () => {
  test.each<[string[], Partial<Answer>]>([
    [["--help"], { code: 0, stdout: text("Usage: langwire [options] [command]") }],
    [["--version"], { code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/) }],
    [["begin"], { code: 2, stderr: text("unknown command 'begin'") }],
    [["start", "a.ts", "b.ts"], { code: 2, stderr: text("too many arguments") }],
    [["start", "--fast"], { code: 2, stderr: text("unknown option '--fast'") }],
    [["dev", "--help"], { code: 0, stdout: text("--no-open") }],
    [["types", "--help"], { code: 0, stdout: text("Usage: langwire types") }],
    [["chat", "--help"], { code: 0, stdout: text("Usage: langwire chat ") }],
    [["chat", "--colour"], { code: 2, stderr: text("Usage: langwire chat ") }],
    [["admin", "--help"], { code: 0, stdout: text("Usage: langwire admin") }],
    [["admin", "list", "all"], { code: 2, stderr: text("Usage: langwire admin") }],
  ])("%j", async (args, answer) => {
    expect(await runLangwire(args)).toMatchObject(answer);
  });

  test("without a command starts the server", async () => {
    const env = { PORT: "70000" };
    expect(await runLangwire([], { env })).toMatchObject({ code: 1, stderr: text("PORT is") });
  });
});
