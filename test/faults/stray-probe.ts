/**
 * Loaded into a server's process before its own code: the built-in model leaves a promise that rejects
 * when it is told "bot", and has our own code leave one when it is told "own".
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { LocalModel } from "../../src/shipped/local/local-model.ts";

const inServersContext = AsyncLocalStorage.snapshot();
const stream = LocalModel.prototype._streamResponseChunks;

LocalModel.prototype._streamResponseChunks = function (messages, ...rest) {
  const leave = () => void Promise.reject(new Error("nobody holds this"));
  const told = messages.at(-1)?.text ?? "";
  if (told.includes("bot")) leave();
  if (told.includes("own")) inServersContext(leave);
  return stream.call(this, messages, ...rest);
};
