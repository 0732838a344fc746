/**
 * A process of the bench answers commands from the one that started it, over Node's IPC channel, and
 * ends when that channel closes: none outlives the bench, however it ends.
 */
export type Commands = Record<string, (argument: never) => unknown>;

export interface Request {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** Serves until the parent hangs up. */
export function serveCommands(commands: Commands): void {
  const send = (answer: Answer): void => void process.send?.(answer);
  process.on("message", async ({ id, name, argument }: Request) => {
    try {
      const command = commands[name];
      if (command === undefined) throw new Error(`no command ${name}`);
      send({ id, result: await command(argument as never) });
    } catch (cause) {
      send({ id, error: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause) });
    }
  });
  process.on("disconnect", () => process.exit());
  send({ id: 0 });
}
