/** The clients, a process. */
import type { Client, Connect } from "../clients/client.ts";
import { serveCommands } from "../parts/commands.ts";
import { attachCommands } from "./attach.ts";
import { historyCommands } from "./history.ts";
import { loadCommands } from "./load-commands.ts";
import { stormCommands } from "./storm.ts";

interface ConnectCommand {
  readonly name: string;
  readonly url: string;
  readonly count: number;
  /** All clients are screens of one user. */
  readonly oneUser: boolean;
}

const connectsAtOnce = 20;
const clients: Client[] = [];
let users = 0;

serveCommands({
  connect: async ({ name, url, count, oneUser }: ConnectCommand) => {
    const { connect } = (await import(`../clients/${name}.ts`)) as { connect: Connect };
    while (clients.length < count) {
      const missing = Math.min(count - clients.length, connectsAtOnce);
      const opened = Array.from({ length: missing }, () => {
        users += 1;
        return connect(url, { userId: oneUser ? "one" : `user${users}` });
      });
      clients.push(...(await Promise.all(opened)));
    }
  },
  ...loadCommands(() => clients),
  ...attachCommands,
  ...historyCommands,
  ...stormCommands,
});
