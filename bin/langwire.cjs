#!/usr/bin/env node
/** The package's command. Written for any Node.js, as what it checks first. */
require("../scripts/require-node.cjs");

import("../dist/cli/langwire.js").then(({ langwire }) => langwire(process.argv.slice(2)));
