/** The columns of answers that break off, are stopped or are refused. */
import { expect } from "vitest";
import { Refusal } from "../mocks/provider-protocol.ts";
import { type Column, callOf, done, expectAnswer, expectNoArguments, secret } from "./column.ts";
import { chunkCounter } from "./setting.ts";

export const failureColumns: readonly Column[] = [
  {
    name: "cut",
    async check({ provider, talk }) {
      provider.answer({ steps: ["Half ", "an ", "cut"] });
      const { end, live } = await (await talk()).send("hi");
      expect(end).toMatchObject({
        status: "failed",
        text: "Half an ",
        error: { code: "PROVIDER_ERROR", retryable: true },
      });
      expect(live).toBe("Half an ");
    },
  },
  {
    name: "no finish reason",
    async check({ provider, talk }) {
      provider.answer({ steps: ["Half ", "an "], finishes: false });
      const { end, live } = await (await talk()).send("hi");
      expect(end).toMatchObject({
        status: "failed",
        text: "Half an ",
        error: { code: "PROVIDER_ERROR", retryable: true },
      });
      expect(live).toBe("Half an ");
    },
  },
  {
    name: "stop in text",
    async check({ provider, talk }) {
      const stopped = Promise.withResolvers<void>();
      provider.answer({ steps: ["Half ", "an ", { until: stopped.promise }, "answer", "stall"] });
      const conversation = await talk();
      const seen = await conversation.stop("hi", (reading) =>
        reading.until((event) => event.type === "token" && event.text.endsWith("an ")),
      );
      expect(seen.end).toMatchObject({ status: "cancelled", text: "Half an " });
      expect(seen.live).toBe("Half an ");
      // At the latest when the provider says more: not every package hands the signal to its fetch.
      stopped.resolve();
      expect(await provider.calls[0]?.closed).toBe("aborted");
    },
  },
  {
    name: "stop in arguments",
    async check({ provider, talkToAgent }) {
      const call = { toolCall: "look_up", args: { key: secret.repeat(4) }, unfinished: true };
      provider.answer({ steps: ["Let me ", "look. ", call, "stall"] });
      const { handler, reached } = chunkCounter(3);
      const conversation = await talkToAgent({ callbacks: [handler] });
      const seen = await conversation.stop("hi", () => reached);
      expect(seen.end).toMatchObject({ status: "cancelled", text: "Let me look. " });
      expect(seen.live).toBe("Let me look. ");
      expectNoArguments(seen);
    },
  },
  {
    name: "stop in a tool",
    async check({ provider, talkToAgent }) {
      provider.answer({ steps: ["Let me ", "look. ", callOf(secret)] });
      provider.answer(done);
      const lookUp = (_key: string, signal: AbortSignal | undefined): Promise<string> =>
        new Promise((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
        });
      const conversation = await talkToAgent({ lookUp });
      const seen = await conversation.stop("hi", (reading) =>
        reading.until(({ type }) => type === "toolStart"),
      );
      expect(seen.end).toMatchObject({ status: "cancelled", text: "Let me look. " });
      expect(seen.live).toBe("Let me look. ");
      expectNoArguments(seen);
      expectAnswer(await conversation.send("and now?"), "Done.");
      const asked = provider.calls[1]?.turns.map(({ text }) => text.trim());
      expect(asked?.[0]).toBe("hi");
      expect(asked?.[2]).toContain("did not run to its end");
      expect(asked?.slice(3)).toEqual(["[No further answer was given.]", "and now?"]);
    },
  },
  refused({
    name: "400",
    status: 400,
    code: "PROVIDER_REJECTED",
    message: "temperature: must be at most 1",
  }),
  refused({ name: "401", status: 401, code: "MODEL_AUTHENTICATION", message: "invalid api key" }),
  refused({ name: "404", status: 404, code: "MODEL_NOT_FOUND", message: "model 'mock' not found" }),
  refused({ name: "429", status: 429, code: "MODEL_RATE_LIMIT", message: "rate limit reached" }),
  refused({ name: "500", status: 500, code: "PROVIDER_ERROR", message: "internal error" }),
  refused({ name: "503", status: 503, code: "PROVIDER_ERROR", message: "overloaded" }),
];

function refused(refusal: { name: string; status: number; code: string; message: string }): Column {
  const { name, status, code, message } = refusal;
  return {
    name,
    async check({ provider, talk }) {
      provider.answer(new Refusal(status, message, status === 429 ? { "retry-after": "2" } : {}));
      const { end, tokens } = await (await talk()).send("hi");
      const retryable = ["MODEL_RATE_LIMIT", "PROVIDER_ERROR"].includes(code);
      expect(end).toMatchObject({ status: "failed", text: "", error: { code, retryable } });
      expect(tokens).toBe("");
      expect(JSON.stringify(end), "the provider's words stay in the log").not.toContain(message);
    },
  };
}
