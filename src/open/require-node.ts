/**
 * Imported before all else by what applications import: an older Node.js lacks what the rest is made of, and
 * would say so by the name of something that is not there. For that it has to be able to read the rest, so
 * nothing that it lacks is imported by name: what node:sqlite and zstd are is asked of the objects.
 */
const oldest = 24;

const { node } = process.versions;

if (Number.parseInt(node, 10) < oldest) {
  throw new Error(`Langwire needs Node.js ${oldest} or newer, and this is ${node}.`);
}
