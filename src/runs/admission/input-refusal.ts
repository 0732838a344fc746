/** Why no run starts with an input, whatever else goes on. */
import type { Catalogue } from "../../bots/catalogue.ts";
import { LangwireError } from "../../protocol/errors.ts";
import type { SendInput } from "../../protocol/inputs.ts";
import type { RunLimits } from "../limits.ts";

export interface InputBounds {
  readonly bots: Catalogue;
  readonly limits: Pick<RunLimits, "maxMessageLength">;
}

/** @returns NOT_FOUND, BAD_INPUT */
export function inputRefusal(
  { botId, message }: SendInput,
  { bots, limits }: InputBounds,
): LangwireError | undefined {
  if (bots.get(botId) === undefined) {
    return new LangwireError("NOT_FOUND", { message: "No such bot." });
  }
  if (message === undefined) {
    return new LangwireError("BAD_INPUT", { message: "message: this bot takes a message" });
  }
  if (message.length > limits.maxMessageLength) {
    const why = `message: longer than ${limits.maxMessageLength} characters`;
    return new LangwireError("BAD_INPUT", { message: why });
  }
  return undefined;
}
