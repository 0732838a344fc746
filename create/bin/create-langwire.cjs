#!/usr/bin/env node
/** `npm create langwire`. Written for any Node.js, as what it checks first: what it makes needs a recent one. */
const needed = require("../package.json").engines.node.replace(">=", "");

if (Number.parseInt(process.versions.node, 10) < Number(needed)) {
  console.error(
    `Langwire needs Node.js ${needed} or later, and this is ${process.versions.node}. Install one from nodejs.org.`,
  );
  process.exit(1);
}

import("../dist/main.js");
