/**
 * Loaded before all else, and written for any Node.js: an old one cannot read the sources, and says so in
 * a stack that names neither itself nor what to do.
 */
const { existsSync } = require("node:fs");
const { join } = require("node:path");
const { engines } = require("../package.json");

const [major, minor] = engines.node.replace(">=", "").split(".").map(Number);
const [ownMajor, ownMinor] = process.versions.node.split(".").map(Number);

if (ownMajor < major || (ownMajor === major && ownMinor < minor)) {
  // A checkout, and not the package.
  const isCheckout = existsSync(join(__dirname, "../package-lock.json"));
  console.error(
    `Langwire needs Node.js ${major}.${minor} or later, and this is ${process.versions.node}. ` +
      `Install one from nodejs.org${isCheckout ? "; npm ci brings one along unless it is given --ignore-scripts" : ""}.`,
  );
  process.exit(1);
}
