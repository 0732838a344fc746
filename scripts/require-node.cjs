/**
 * Loaded before all else, and written for any Node.js: an old one cannot read the sources, and says so in
 * a stack that names neither itself nor what to do.
 */
const { engines } = require("../package.json");

const needed = engines.node.replace(">=", "");
const [major, minor = 0] = needed.split(".").map(Number);
const [ownMajor, ownMinor] = process.versions.node.split(".").map(Number);

if (ownMajor < major || (ownMajor === major && ownMinor < minor)) {
  console.error(
    `Langwire needs Node.js ${needed} or later, and this is ${process.versions.node}. ` +
      `Install one from nodejs.org${isCheckout() ? "; npm ci brings one along unless it is given --ignore-scripts" : ""}.`,
  );
  process.exit(1);
}

/** And not the package. */
function isCheckout() {
  try {
    return require.resolve("../package-lock.json") !== "";
  } catch {
    return false;
  }
}
