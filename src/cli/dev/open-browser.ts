/** Opens an address in the browser of whoever sits at the terminal. */
import { spawn } from "node:child_process";

/** Whether there is somebody to see it, who has not said no. */
export function hasBrowser(
  wanted: boolean,
  { CI }: NodeJS.ProcessEnv,
  isTerminal: boolean,
): boolean {
  return wanted && isTerminal && !CI;
}

/** Does nothing where there is no browser. */
export function openBrowser(url: string): void {
  const [command, ...args] = opener(url);
  const opened = spawn(command, args, { stdio: "ignore", detached: true });
  opened.on("error", () => {});
  opened.unref();
}

function opener(url: string): [string, ...string[]] {
  switch (process.platform) {
    case "darwin":
      return ["open", url];
    case "win32":
      // An empty title: `start` takes the first thing in quotes for one.
      return ["cmd", "/c", "start", "", url];
    default:
      return ["xdg-open", url];
  }
}
