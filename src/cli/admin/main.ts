#!/usr/bin/env node
/** `npm run admin -- list`: in a checkout, what `langwire admin list` is of the package. */
import { admin } from "./command.ts";

await admin(process.argv.slice(2));
