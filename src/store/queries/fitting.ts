/**
 * Pages are bounded in bytes too: texts may be of some MiB each, and a page is in memory as a whole.
 * What comes is measured first, by `octet_length`, for which neither database reads the text.
 */

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
