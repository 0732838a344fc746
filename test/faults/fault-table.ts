/**
 * The table at the end: fault, cases, held. A test opens its row and counts its cases; the reporter
 * collects the rows of all files.
 */
import type { TestContext } from "vitest";
import type { Reporter, TestModule } from "vitest/node";

export interface FaultRow {
  readonly fault: string;
  cases: number;
}

declare module "vitest" {
  interface TaskMeta {
    faultRow?: FaultRow;
  }
}

/** Opens the test's row. Count its cases in `cases`, each when it held. */
export function faultRow({ task }: TestContext, fault: string): FaultRow {
  const row = { fault, cases: 0 };
  task.meta.faultRow = row;
  return row;
}

export default class FaultTable implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows: [fault: string, cases: string, held: string][] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const row = test.meta().faultRow;
        if (row === undefined) continue;
        const held = test.ok() && test.result().state === "passed" ? "yes" : "NO";
        rows.push([row.fault, row.cases.toLocaleString("en"), held]);
      }
    }
    if (rows.length === 0) return;
    rows.sort(([a], [b]) => a.localeCompare(b));
    const width = Math.max(...rows.map(([fault]) => fault.length));
    const line = (fault: string, cases: string, held: string): string =>
      `${fault.padEnd(width)}  ${cases.padStart(9)}  ${held}`;
    const lines = [line("fault", "cases", "held"), ...rows.map((row) => line(...row))];
    process.stdout.write(`\n${lines.join("\n")}\n\n`);
  }
}
