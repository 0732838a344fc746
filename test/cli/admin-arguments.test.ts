/** What each line of the operator's command asks of the server, and which lines are refused before anything is asked. */
import { expect, test } from "vitest";
import { commandOf } from "../../src/cli/admin/arguments.ts";
import { WrongUsage } from "../../src/cli/wrong-usage.ts";

const server = "http://127.0.0.1:3000";
const minuteMs = 60_000;

test.each<[string, string, object]>([
  ["list", "GET /admin/runs", { inLines: false }],
  ["show a", "GET /admin/runs/a", { inLines: false }],
  ["cancel a", "POST /admin/runs/a/cancel", { inLines: false }],
  ["follow a", "GET /admin/runs/a/events", { inLines: true }],
  ["export a", "GET /admin/conversations/a", { inLines: true }],
  ["export-user a", "GET /admin/users/a", { inLines: true }],
  ["delete-user a", "POST /admin/users/a/delete", { inLines: true }],
  ["backup a", "GET /admin/backup", { inLines: false, saveTo: "a" }],
  ["backup ../a/b", "GET /admin/backup", { inLines: false, saveTo: "../a/b" }],
  // An id is one step of the path, whatever is in it.
  ["show ../users/a?b#c", "GET /admin/runs/..%2Fusers%2Fa%3Fb%23c", {}],
  ["cancel a/../b", "POST /admin/runs/a%2F..%2Fb/cancel", {}],
  ["follow a/b", "GET /admin/runs/a%2Fb/events", {}],
  ["export a/b", "GET /admin/conversations/a%2Fb", {}],
  ["export-user a/b", "GET /admin/users/a%2Fb", {}],
  ["delete-user ../runs/a", "POST /admin/users/..%2Fruns%2Fa/delete", {}],
])("%s", (line, asked, more) => {
  for (const url of [server, "https://chat.test:8443"]) {
    const args = url === server ? line.split(" ") : [...line.split(" "), "--url", url];
    const command = commandOf(args);
    if (command === "help" || "backup" in command) return expect.fail();
    expect(`${command.method} ${command.url}`).toBe(asked.replace(" ", ` ${url}`));
    expect(command).toMatchObject(more);
    expect([command.body, command.saveTo]).toEqual([undefined, Object(more).saveTo]);
  }
});

test.each([
  ["prune --older-than 90d", 90 * 24 * 60 * minuteMs, false],
  ["prune --older-than 12h", 12 * 60 * minuteMs, false],
  ["--older-than 30m prune", 30 * minuteMs, false],
  ["prune --older-than 1d --dry-run", 24 * 60 * minuteMs, true],
])("%s", (line, olderThanMs, dryRun) => {
  expect(commandOf(line.split(" "))).toEqual({
    ...{ url: new URL("/admin/prune", server), method: "POST" },
    ...{ body: { olderThanMs, dryRun }, inLines: true },
  });
});

test("of two addresses the last one counts: that of the settings is put before the line", () => {
  const command = commandOf(["--url", "http://a.test", "list", "--url", "http://b.test"]);
  expect(command).toMatchObject({ url: new URL("http://b.test/admin/runs") });
});

test("restore asks no server, and replaces nothing unless it is told to", () => {
  expect(commandOf(["restore", "a"])).toEqual({ backup: "a", overwrite: false });
  expect(commandOf(["restore", "a", "--overwrite"])).toEqual({ backup: "a", overwrite: true });
});

test.each(["--help", "-h", "delete-user a --help", "prune -h"])("%s does nothing", (line) => {
  expect(commandOf(line.split(" "))).toBe("help");
});

test.each([
  ...["", "lst", "toString", "list a", "prune", "prune a --older-than 1d"],
  ...["show", "cancel a b", "follow a b", "export", "export-user a b", "delete-user a b"],
  ...["delete-user", "backup", "backup a b", "restore", "restore a b"],
  // Options of other commands: what they ask for would not be done.
  ...["delete-user a --dry-run", "restore a --dry-run", "list --older-than 1d"],
  ...["export a --older-than 1d --dry-run", "backup a --overwrite", "list --overwrite"],
  ...["prune --older-than 1", "prune --older-than 0d", "prune --older-than 1w"],
  ...["prune --older-than -1d", "prune --older-than 1.5d", "prune --older-than 1dd"],
  ...["list --url nowhere", "list --url", "list --dry", "list -x"],
])("%j is wrong usage", (line) => {
  expect(() => commandOf(line === "" ? [] : line.split(" "))).toThrow(WrongUsage);
});
