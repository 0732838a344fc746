/**
 * docs/start.md from top to bottom: from an empty folder, its files, commands and what these print; what
 * it says of the server while it runs is looked for in the answers.
 */
import { expect, test } from "vitest";
import { type Follower, followDocument } from "../guides/follow-guide.ts";
import { startMockProvider } from "../support/mock-provider.ts";

const [song, providersPort] = ['npx langwire chat "soda water"', 11_434] as const;

test("each step works as written", async () => {
  await using stack = new AsyncDisposableStack();
  const printed: string[] = [];
  const loadsOf = (guide: Follower) => expect.poll(() => guide.log.split("loaded anew").length - 1);
  let loads = 0;
  const before = async (command: string, guide: Follower) => {
    if (!/^(?:npm|npx|node) /.test(command)) return;
    printed.push(guide.printed);
    if (command !== song) return;
    if (loads === 1) {
      // From here on the reader has a provider.
      const provider = await startMockProvider(await guide.portOf(providersPort));
      stack.use(provider).answerAll(({ lastText }) => ({ steps: ["You want: ", lastText] }));
    }
    // What was written since the last command is taken up by the server that runs.
    await loadsOf(guide).toBe(++loads);
  };
  await using guide = await followDocument("docs/start.md", { before });
  const [beforeChange, builtIn, real, fromCode] = printed.slice(5);
  expect(beforeChange).toContain("17 * 23 = 391");
  expect(builtIn).not.toContain("You want");
  expect(builtIn).toMatch(/soda water/i);
  expect(real).toContain("You want: Write a song about soda water");
  expect(fromCode).toBe("You want: Write a song about rain\ncompleted\n");
  expect(guide.log).not.toMatch(/error|take effect at the next start/);
});
