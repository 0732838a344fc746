/** The chat page, as `npm run build:page` made it, at the server's own address. */
import { access } from "node:fs/promises";
import { join, resolve } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

/** What is in there has its content's hash in its name. */
const assetsFolder = "assets";

/**
 * Without a page in the folder, the server is one without a page.
 * @param folder the folder with `index.html`
 */
export async function servePage(app: FastifyInstance, folder: string): Promise<void> {
  const dir = resolve(folder);
  if (!(await exists(join(dir, "index.html")))) {
    app.log.warn({ dir }, "there is no chat page to serve: npm run build:page makes it");
    return;
  }
  await app.register(fastifyStatic, {
    root: dir,
    // Each file is a route of its own, so that the rest of the address space stays the API's.
    wildcard: false,
    // What `client/page/compress.ts` has laid beside each of them is another form of it.
    preCompressed: true,
    globIgnore: ["**/*.{br,gz}"],
    cacheControl: false,
    setHeaders: (reply, path) => {
      const isAsset = path.startsWith(join(dir, assetsFolder));
      reply.header("cache-control", isAsset ? "public, max-age=31536000, immutable" : "no-cache");
    },
  });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
