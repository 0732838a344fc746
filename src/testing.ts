/** For contract tests of your own bots and clients: a scripted model, a server on a free port. */
export { type ScriptedModel, type ScriptedReply, scriptedModel } from "./bots/scripted-model.ts";
export { beforeRun, nextOrder, OrderViolation, type RunOrder } from "./protocol/order.ts";
export { startTestServer, type TestServer, type TestServerOptions } from "./server/test-server.ts";
