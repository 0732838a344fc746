/**
 * Pages are bounded in bytes too: texts may be of some MiB each, and a page is in memory as a whole.
 * What comes is measured first, by `octet_length`, for which neither database reads the text.
 */
import { type RawBuilder, sql } from "kysely";

/** What the columns' values take up together; null takes up nothing. */
export function bytesOf(...columns: readonly string[]): RawBuilder<number> {
  const lengths = columns.map((column) => sql`coalesce(octet_length(${sql.ref(column)}), 0)`);
  return sql<number>`${sql.join(lengths, sql` + `)}`;
}

/** The longest beginning of the rows that comes to no more than `maxBytes`; always the first row. */
export function fitting<Row extends { readonly bytes: number }>(
  rows: readonly Row[],
  maxBytes: number,
): Row[] {
  let bytes = 0;
  const tooMany = rows.findIndex((row, index) => {
    bytes += row.bytes;
    return index > 0 && bytes > maxBytes;
  });
  return rows.slice(0, tooMany < 0 ? rows.length : tooMany);
}
