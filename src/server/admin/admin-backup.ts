/** The operator's backup: the database as it is at one moment, while the server goes on. */
import { open, rm } from "node:fs/promises";
import type { FastifyInstance } from "fastify";
import type { Langwire } from "../../open/open-langwire.ts";
import { LangwireError } from "../../protocol/errors.ts";

const elsewhere =
  "The conversations are not in DATA_DIR: back up the database of DATABASE_URL, with pg_dump.";

export function adminBackupRoute(admin: FastifyInstance, { snapshot }: Langwire): void {
  admin.get("/backup", async (_request, reply) => {
    if (snapshot === undefined) throw new LangwireError("BAD_INPUT", { message: elsewhere });
    const path = await snapshot();
    try {
      const file = await open(path);
      const { size } = await file.stat();
      // With its length: a backup that breaks off is not taken for a whole one.
      reply.type("application/vnd.sqlite3").header("content-length", size);
      return reply.send(file.createReadStream());
    } finally {
      // It is read to its end all the same. Nothing of it is left behind, however this process ends.
      await rm(path, { force: true });
    }
  });
}
