#!/usr/bin/env node
/** The chat on the command line. Written for any Node.js, as what it checks first. */
if (globalThis.WebSocket === undefined) {
  console.error(
    `langwire-chat needs a WebSocket, which Node.js has from version 22 on, and this is ${process.versions.node}: ` +
      "in 20.12 or later, NODE_OPTIONS=--experimental-websocket gives it one.",
  );
  process.exit(1);
}

import("../dist/cli/main.js");
