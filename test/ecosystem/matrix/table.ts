/** What the matrix prints at its end: packages down, cells across, and a line for each difference. */
export type Verdict =
  | { readonly is: "ok" }
  | { readonly is: "lacking"; readonly why: string }
  | { readonly is: "differs"; readonly why: string; readonly upstream?: string | undefined };

const signs = { ok: "ok", lacking: "–", differs: "DIFFERS", upstream: "upstream" } as const;

export class Table {
  readonly #columns: readonly string[];
  readonly #rows = new Map<string, Map<string, Verdict>>();

  constructor(columns: readonly string[]) {
    this.#columns = columns;
  }

  set(row: string, column: string, verdict: Verdict): void {
    const cells = this.#rows.get(row) ?? new Map<string, Verdict>();
    this.#rows.set(row, cells.set(column, verdict));
  }

  /** A column is written down its head, so that the table is as narrow as its cells. */
  toString(): string {
    const rows = [...this.#rows];
    const width = Math.max(...rows.map(([name]) => name.length));
    const lines = this.#columns.map((column) => {
      const cells = rows.map(([, verdicts]) => sign(verdicts.get(column)).padEnd(9));
      return `${column.padEnd(20)} ${cells.join(" ")}`;
    });
    const heads = rows.map(([name], at) => `  ${at + 1} ${name}`);
    const numbers = rows.map((_row, at) => String(at + 1).padEnd(9)).join(" ");
    const notes = rows.flatMap(([row, verdicts]) =>
      [...verdicts].flatMap(([column, verdict]) =>
        note(`${row.padEnd(width)}  ${column}`, verdict),
      ),
    );
    return [...heads, "", `${"".padEnd(20)} ${numbers}`, ...lines, "", ...notes].join("\n");
  }
}

function sign(verdict: Verdict | undefined): string {
  if (verdict === undefined) return "not run";
  if (verdict.is === "differs" && verdict.upstream !== undefined) return signs.upstream;
  return signs[verdict.is];
}

function note(cell: string, verdict: Verdict): string[] {
  if (verdict.is !== "differs") return [];
  return [
    `${cell}: ${verdict.why}${verdict.upstream === undefined ? "" : ` (${verdict.upstream})`}`,
  ];
}
