/** `/favicon.ico`: what browsers ask for beside every address that they open, also beside a document. */
import { readFile } from "node:fs/promises";
import type { FastifyInstance } from "fastify";

const cached = "public, max-age=86400";

/** @param file an SVG image */
export async function serveFavicon(app: FastifyInstance, file: string): Promise<void> {
  const image = await readFile(file);
  app.get("/favicon.ico", (_request, reply) =>
    reply.type("image/svg+xml").header("cache-control", cached).send(image),
  );
}
