/** Registers a test for each cell, and prints the table when all have run. */
import { afterAll, describe, expect, test } from "vitest";
import { botAtWork } from "../../../src/bots/isolation/bot-at-work.ts";
import type { Column } from "./column.ts";
import { columns } from "./columns.ts";
import { knownDifferences } from "./known-differences.ts";
import { type Row, rows } from "./rows.ts";
import { setUp } from "./setting.ts";
import { Table, type Verdict } from "./table.ts";

const table = new Table(columns.map(({ name }) => name));
/** Rejections that nobody held and that belong to no bot: they would end a server's process. */
const strays: unknown[] = [];
process.removeAllListeners("unhandledRejection");
process.on("unhandledRejection", (reason) => {
  if (botAtWork() === undefined) strays.push(reason);
});

describe.each(rows)("$name", (row) => {
  for (const column of columns) {
    const why = column.lacks?.(row);
    if (why !== undefined) table.set(row.name, column.name, { is: "lacking", why });
    else test(column.name, () => checkCell(row, column));
  }
});

afterAll(() => {
  console.log(`\n${table}\n`);
});

test("every known difference is of a cell that there is", () => {
  for (const { row, column } of knownDifferences) {
    if (row !== undefined) expect(rows.map(({ name }) => name)).toContain(row);
    expect(columns.map(({ name }) => name)).toContain(column);
  }
});

async function checkCell(row: Row, column: Column): Promise<void> {
  const known = knownDifferences.find(
    (it) => (it.row ?? row.name) === row.name && it.column === column.name,
  );
  const thrown = await failureOf(row, column);
  if (known === undefined) {
    table.set(row.name, column.name, verdictOf(thrown));
    if (thrown !== undefined) throw thrown;
    return;
  }
  table.set(row.name, column.name, { is: "differs", why: known.why, upstream: known.upstream });
  if (thrown === undefined) throw new Error("This cell is right now: take it off the list.");
}

async function failureOf(row: Row, column: Column): Promise<Error | undefined> {
  strays.length = 0;
  try {
    await using setting = await setUp(row);
    await column.check(setting);
    await new Promise((resolve) => setImmediate(resolve));
    expect(strays, "rejections that would end a server").toEqual([]);
    return undefined;
  } catch (thrown) {
    return thrown instanceof Error ? thrown : new Error(String(thrown));
  }
}

function verdictOf(thrown: Error | undefined): Verdict {
  return thrown === undefined
    ? { is: "ok" }
    : { is: "differs", why: thrown.message.split("\n")[0] ?? "" };
}
