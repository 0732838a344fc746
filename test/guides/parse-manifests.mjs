/**
 * Parses what a deployment is told, for tests: YAML of Kubernetes, each object held to its schema, or TOML.
 * JavaScript, and a process of its own, as the packages that it needs are installed for this folder alone.
 *
 *   node parse-manifests.mjs kubernetes|toml < manifest
 */
import { text } from "node:stream/consumers";

const given = await text(process.stdin);
const parsed = process.argv[2] === "toml" ? await toml() : await kubernetes();
process.stdout.write(JSON.stringify(parsed));

async function toml() {
  const { parse } = await import("smol-toml");
  return parse(given);
}

async function kubernetes() {
  const { parseAllDocuments } = await import("yaml");
  const objects = parseAllDocuments(given, { strict: true }).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS();
  });
  for (const object of objects) {
    const api = object.apiVersion === "v1" ? "v1" : object.apiVersion;
    const { [object.kind]: Kind } = await import(`kubernetes-models/${api}`);
    new Kind(object).validate();
  }
  return objects;
}
