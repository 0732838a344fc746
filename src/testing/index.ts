/** For contract tests of your own bots and clients: a scripted model, a server on a free port. */
import "../open/require-node.ts";

export { beforeRun, nextOrder, OrderViolation, type RunOrder } from "../protocol/order.ts";
export { type ScriptedModel, type ScriptedReply, scriptedModel } from "./scripted-model.ts";
export { startTestServer, type TestServer, type TestServerOptions } from "./test-server.ts";
