/** PROTOCOL.md says what the code does: every event, procedure and error code is in its tables. */
import { readFile } from "node:fs/promises";
import type { AnyProcedure } from "@trpc/server";
import { describe, expect, test } from "vitest";
import { createChatRouter } from "../../src/api/router.ts";
import { openLangwire } from "../../src/index.ts";
import { errorTable } from "../../src/protocol/errors.ts";
import { chatEvent } from "../../src/protocol/events.ts";
import { closeCodes } from "../../src/server/connections/close-codes.ts";

const document = await readFile(new URL("../../PROTOCOL.md", import.meta.url), "utf8");
const rows = document.split("\n").filter((line) => line.startsWith("| "));

/** The cells of the row that begins with this. */
function row(first: string): string[] | undefined {
  const line = rows.find((candidate) => candidate.startsWith(`| ${first} |`));
  return line
    ?.split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

describe("PROTOCOL.md", () => {
  test.each(Object.entries(errorTable))("says what %s means", (code, entry) => {
    expect(row(code)?.slice(1)).toEqual([
      entry.meaning,
      entry.retryable ? "yes" : "no",
      entry.action,
    ]);
  });

  test.each(chatEvent.options.map((option) => [option.shape.type.value, option.shape] as const))(
    "names the fields of %s",
    (type, shape) => {
      const common = new Set(["type", "runId", "spanId"]);
      const fields = Object.entries(shape)
        .filter(([name]) => !common.has(name))
        .map(([name, schema]) => `\`${name}${schema.safeParse(undefined).success ? "?" : ""}\``);
      const named = row(`\`${type}\``)?.[1]?.split(", ") ?? [];
      expect(new Set(named.filter((name) => name !== ""))).toEqual(new Set(fields));
    },
  );

  test("has a row for every procedure, of its kind", async () => {
    await using langwire = await openLangwire({ bots: [] });
    const router = createChatRouter({
      ...langwire,
      connection: () => ({ caller: { userId: "local" } }),
    });
    const procedures: Record<string, AnyProcedure> = router._def.procedures as never;
    for (const [path, procedure] of Object.entries(procedures)) {
      expect(row(`\`${path}\``)?.[1], path).toBe(procedure._def.type);
    }
  });

  test.each(Object.entries(closeCodes))("explains the close code for %s", (_name, code) => {
    expect(row(String(code))).toBeDefined();
  });
});
