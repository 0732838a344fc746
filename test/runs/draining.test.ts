/** What readers get of a server that shuts down. */
import { expect, test } from "vitest";
import { startTestServer } from "../../src/testing/index.ts";
import { read, wsClient } from "../support/stock-client.ts";
import { botWaiting, newRun } from "./run-bench.ts";

test("a shutdown ends each reader's subscription before it closes the sockets", async () => {
  for (let times = 0; times < 10; times++) {
    const gate = Promise.withResolvers<void>();
    await using server = await startTestServer({ bots: [botWaiting(gate.promise)] });
    using client = wsClient(server.url);
    const readings = Array.from({ length: 5 }, () =>
      read((options) => client.api.chat.send.subscribe(newRun(), options)),
    );
    for (const reading of readings) await reading.until(({ type }) => type === "token");
    gate.resolve();
    await server.server.close(5_000);
    for (const reading of readings) {
      const received = await reading.completed;
      expect(received.at(-1)?.event).toMatchObject({ status: "completed" });
    }
  }
});
