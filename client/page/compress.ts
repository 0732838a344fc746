/** The page's files a second and a third time, as browsers take them. */
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const codings = {
  // Its default is the best that it can do.
  br: promisify(brotliCompress),
  gz: (bytes: Buffer) => promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }),
};

/**
 * Lays `name.br` and `name.gz` beside each file that becomes smaller by it. Once and as small as can
 * be, so that no request waits for it.
 */
export async function compressAll(dir: string): Promise<void> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  await Promise.all(
    files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      const bytes = await readFile(path);
      for (const [extension, compress] of Object.entries(codings)) {
        const compressed = await compress(bytes);
        if (compressed.length < bytes.length) await writeFile(`${path}.${extension}`, compressed);
      }
    }),
  );
}
