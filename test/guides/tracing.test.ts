/** docs/guides/tracing.md, as written: real spans come to a collector, and LangSmith gets runs. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { createClient } from "../../client/src/index.ts";
import { startMockProvider } from "../support/mock-provider.ts";
import { withOwnInstall } from "../support/own-install.ts";
import { type Follower, followGuide } from "./follow-guide.ts";

interface Request {
  readonly path: string;
  readonly body: string;
}

/** Takes whatever comes, as a collector of OpenTelemetry's or LangSmith would. */
async function startCollector() {
  const requests: Request[] = [];
  const server = createServer(async (request, response) => {
    const body = await text(request);
    requests.push({ path: request.url ?? "", body });
    response.setHeader("content-type", "application/json").end("{}");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests };
}

await withOwnInstall("guides", "the guide to tracing", async () => {
  test("a run is a trace at the collector, without its words; LangSmith gets them", async () => {
    await using provider = await startMockProvider();
    provider.answerAll({ steps: ["It is water with ", "bubbles."] });
    const [collector, langSmith] = [await startCollector(), await startCollector()];
    const env = {
      OPENAI_BASE_URL: provider.baseUrl,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      // In place of the five seconds that spans wait for others.
      OTEL_BSP_SCHEDULE_DELAY: "50",
      LANGSMITH_ENDPOINT: langSmith.url,
    };
    const before = async (command: string, guide: Follower) => {
      if (command.startsWith("LANGSMITH_TRACING"))
        await guide.stopServer("npx langwire start bots.ts");
    };
    await using guide = await followGuide("tracing", { env, before });
    await expect
      .poll(() => collector.requests.map(({ body }) => body).join())
      .toContain("invoke_agent explainer");
    const traces = collector.requests
      .filter(({ path }) => path === "/v1/traces")
      .map(({ body }) => body)
      .join("\n");
    expect(traces).toContain('"chat gpt-4.1-mini"');
    expect(traces).toContain('"assistant"');
    expect(traces).not.toMatch(/Soda water|bubbles|Explain to a child/);
    // The last command of the guide has the same server with LangSmith's variables.
    expect(langSmith.requests).toEqual([]);
    await using client = createClient({ url: `ws://127.0.0.1:${await guide.portOf(3000)}/trpc` });
    await client.send({ botId: "explainer", message: "Tonic" }).text;
    await expect.poll(() => langSmith.requests.map(({ path }) => path).join()).toContain("/runs");
  });
});
