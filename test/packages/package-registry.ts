/**
 * A registry that has our packages as they would be published, and for all others sends npm to the one that
 * it is configured with.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";

const run = promisify(execFile);

interface Published {
  readonly name: string;
  readonly version: string;
  readonly archive: Buffer;
  readonly manifest: object;
}

export interface PackageRegistry extends AsyncDisposable {
  readonly url: string;
}

/** @param archives what `npm pack` made */
export async function startPackageRegistry(archives: readonly string[]): Promise<PackageRegistry> {
  const { stdout } = await run("npm", ["config", "get", "registry"]);
  const elsewhere = stdout.trim().replace(/\/$/, "");
  const all = await Promise.all(archives.map(published));
  const server = createServer(({ url: path = "/", headers }, response) => {
    const name = decodeURIComponent(path.slice(1));
    const archive = all.find((one) => name === archiveName(one))?.archive;
    const own = all.find((one) => name === one.name);
    if (archive !== undefined) response.end(archive);
    else if (own !== undefined) response.end(JSON.stringify(packument(own, `${headers.host}`)));
    else response.writeHead(307, { location: `${elsewhere}${path}` }).end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function published(path: string): Promise<Published> {
  const { stdout } = await run("tar", ["xzOf", path, "package/package.json"]);
  const manifest = JSON.parse(stdout);
  const { name, version } = manifest;
  return { name, version, manifest, archive: await readFile(path) };
}

const archiveName = ({ name, version }: Published): string => `-/${name}-${version}.tgz`;

/** All that a registry says of a package. */
function packument(one: Published, host: string): object {
  const { name, version, manifest, archive } = one;
  const dist = {
    tarball: `http://${host}/${archiveName(one)}`,
    integrity: `sha512-${createHash("sha512").update(archive).digest("base64")}`,
  };
  const versions = { [version]: { ...manifest, dist } };
  return { name, "dist-tags": { latest: version }, versions };
}
