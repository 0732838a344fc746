/** docs/guides/upgrading.md, as written, on a database of the version before; and back again. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { createClient } from "../../client/src/index.ts";
import { samplesIn } from "../docs/samples.ts";
import {
  migrationsBefore,
  ProcessBefore,
  type Query,
  tablesBefore,
} from "../store/version-before.ts";
import { type Follower, followGuide } from "./follow-guide.ts";

const start = "npx langwire start bots.ts";

/** What the version before left in the folder: a conversation of its user. */
async function leaveBehind(folder: string): Promise<string> {
  await mkdir(join(folder, "data"));
  using database = new DatabaseSync(join(folder, "data/langwire.sqlite"));
  const query: Query = async (text, values) =>
    database.prepare(text.replaceAll(/\$\d+/g, "?")).all(...values);
  for (const statement of [...tablesBefore, ...migrationsBefore("kysely")]) {
    database.exec(statement);
  }
  const before = new ProcessBefore(query);
  const conversationId = crypto.randomUUID();
  const runId = await before.claim(conversationId, "Are you there?");
  await before.finish(runId, "As ever.");
  return conversationId;
}

test("a backup, a new version on what the one before has left, and back", async () => {
  // Its reader has bots; those of another guide will do.
  const samples = await samplesIn("docs/guides/deploy.md");
  const bots = samples.find(({ title }) => title === "bots.ts")?.code ?? "";
  let conversationId = "";
  let follower: Follower | undefined;
  const before = async (command: string, guide: Follower) => {
    follower = guide;
    if (command.startsWith("npx langwire admin backup")) {
      await guide.type("npm i langwire langwire-client @langchain/core");
      await guide.write("package.json", JSON.stringify({ type: "module" }));
      await guide.write("bots.ts", bots);
      await guide.write(".env", "ADMIN_TOKEN=a-token-of-24-characters-or-more\n");
      conversationId = await leaveBehind(guide.folder);
      await guide.type(start);
    }
    if (command.startsWith("npx langwire admin restore")) await guide.stopServer(start);
  };
  await using guide = await followGuide("upgrading", { before });
  const messages = async () => {
    await using client = createClient({
      url: `ws://127.0.0.1:${await guide.portOf(3000)}/trpc`,
      userId: "alice",
    });
    const { items } = await client.conversations.messages({ conversationId });
    return items.map(({ text }) => text);
  };
  await follower?.type(start);
  expect(await messages()).toEqual(["Are you there?", "As ever."]);
});
