/** What becomes of a provider's refusal: our code, whether trying again may help, the words for the log. */
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { classifyError } from "../../src/bots/provider/provider-errors.ts";
import { createRetryingFetch } from "../../src/bots/provider/retrying-fetch.ts";
import { errorTable } from "../../src/protocol/errors.ts";
import { createModel } from "../../src/shipped/model.ts";
import { eventStream, startServer, type TestServer } from "./event-fetch-server.ts";
import { type SentRefusal, sentRefusals, thrownRefusals } from "./refusals/all.ts";

let server: TestServer;

beforeAll(async () => {
  server = await startServer((_request, response) => void response.end());
});

afterAll(() => server[Symbol.asyncDispose]());

class Streaming extends BaseCallbackHandler {
  readonly name = "streaming";
  readonly lc_prefer_streaming = true;
}

function refuse({ status, body }: SentRefusal, inStream: boolean): void {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  server.respond = (_request, response) => {
    if (inStream) response.writeHead(status, eventStream).end(`data: ${text}\n\n`);
    else {
      const type = typeof body === "string" ? "text/html" : "application/json";
      response.writeHead(status, { "content-type": type }).end(text);
    }
  };
}

async function refusalOf(streaming: boolean): Promise<unknown> {
  const model = await createModel({
    model: "openai:m",
    openaiApiKey: "sk-the-operators-own-key",
    openaiBaseUrl: `${server.url}/v1`,
    maxRetries: 0,
  });
  const callbacks = streaming ? [new Streaming()] : [];
  return model.invoke("Hi", { callbacks }).then(
    () => expect.fail("it was answered"),
    (error: unknown) => error,
  );
}

/** Some words of a refusal, which the operator must find in the cause. */
function wordsOf(body: object | string): string {
  const text =
    typeof body === "string" ? body.replace(/<[^>]*>/g, " ").trim() : JSON.stringify(body);
  const found = /"(?:message|error|status_msg|msg|detail)":"([^"`*\\:]{5,30})/.exec(text);
  return found?.[1]?.trim() ?? text.slice(0, 12);
}

describe("the refusal", () => {
  test.each(
    sentRefusals.map((row) => [`${row.code} of ${row.from} (${row.status})`, row] as const),
  )("%s", async (_name, row) => {
    const ways = row.status === 200 ? [true, false] : [false];
    for (const inStream of ways) {
      refuse(row, inStream);
      for (const streaming of [true, false]) {
        const failure = classifyError(await refusalOf(streaming), "llm");
        expect(failure.code).toBe(row.code);
        expect(failure.message).toBe(errorTable[row.code].meaning);
        expect(String(failure.cause)).toContain(wordsOf(row.body));
      }
    }
  });

  test.each(thrownRefusals)("%s", (_name, error, code) => {
    expect(classifyError(error, "llm").code).toBe(code);
  });

  test("of a tool's own call is the tool's", () => {
    for (const [, error] of thrownRefusals) {
      expect(classifyError(error, "tool").code).toBe("TOOL_FAILED");
    }
  });

  test("is known in more than fifty wordings", () => {
    expect(sentRefusals.length).toBeGreaterThan(50);
  });
});

describe("what the operator reads", () => {
  test("is bounded, and quotes no key", async () => {
    const key = "sk-the-operators-own-key";
    const said = `Incorrect API key provided: ${key}. ${"Words. ".repeat(5000)}`;
    const bodies = [{ error: { message: said } }, { detail: said }, `<html>${said}</html>`, said];
    for (const body of bodies) {
      refuse({ from: "any", code: "MODEL_AUTHENTICATION", status: 401, body }, false);
      const error = await refusalOf(true);
      const { message } = error instanceof Error ? error : expect.fail();
      expect(message).toContain("Incorrect API key provided");
      expect(message).not.toContain(key);
      expect(message.length).toBeLessThan(1500);
    }
  });
});

describe("another attempt", () => {
  const attempts = async ({ status, body }: SentRefusal): Promise<number> => {
    let count = 0;
    const text = typeof body === "string" ? body : JSON.stringify(body);
    const fetch = createRetryingFetch({
      firstDelayMs: 0,
      maxRetries: 2,
      fetch: async () => {
        count += 1;
        return new Response(text, { status });
      },
    });
    await fetch("http://provider.test");
    return count;
  };

  test("is made where it may help, and nowhere else", async () => {
    for (const row of sentRefusals.filter(({ status }) => status !== 200)) {
      // What is larger than a minute allows is so in the next one, too.
      const isTooLarge = row.status === 413;
      const isHopeless =
        isTooLarge || !errorTable[row.code].retryable || row.from.includes("without credit");
      expect({ ...row, attempts: await attempts(row) }).toEqual({
        ...row,
        attempts: isHopeless ? 1 : 3,
      });
    }
  });
});
